import TarnBytes
import TarnCDC
import TarnColumns
import TarnCompression
import Testing

@Suite("Change records that a delivery stream converted to Parquet as they came")
struct ParquetPayloadTests {
  /// Four records, written by pyarrow as gzip: names in lower case, as tables of AWS Glue have them; new images as
  /// structures, whose attributes and tags are null where they are not there; old images as JSON text.
  private static func sample() throws -> [UInt8] {
    let text =
      "H4sIAAAAAAACA52WQUwcVRjHvzc7HQZYKil5ryxis93AEw1dYQukaThQCk0hFJqFEGyIcXZ3hIm7s8vMALutGDUNB41J"
      + "TfRgYnoypjG9tuqlqYkxRu8ePGtijBePJpj4zZvZ2VlmKWggb968+f9/73vffN/AzSvZUQp0ki4OUxUnClX6AWDo0Sv/"
      + "JM/9BSDhjUrcUR8VY0aMF8U4hoZ1akad6S3iOxUc5xaXZ7Mr7uzG0szctVfdWXb2xtLqbOMpAsboWJTU9yHAmociOK4Q"
      + "+P39s6gZoBNR8ZmPAGJ4E0tCG16WdWvHyOsomqYrUfX5dlJXM7wUaqZWKhdyaa2k3S6b2q6dzpdL6Fmg2aiZnyLwVMQl"
      + "kR8e9vx9WgEpJtdnkOz8af4FtNwldD5qnv4N4IFn7nSzMnc1u7Q8e3VpcYYAtTNEJKPF+fo+AXhd+GQ3GVqOwL0P3Gyk"
      + "6VRUffYbANk9X0EFIQ+GHCqTNBO1dL/rW/KKuDp61TlWu+5pR9PjIygZodPDtOOQtvdbr5JiknA8TomAqu5QQ2kfHY7y"
      + "uwyfvyoLdQafd9NUVKhe8YUrMuAjTi9FA+j5tCmAr7wAtk4of+LJL6LqDB2IRtA+14jAfXnvEPp2VDX1iMCvkqg4A87j"
      + "5U7KKKQu30ktpy6ntNTecMp07xbxzs1lam+ve4/A7P2XYwiK03NRojLqNyhQOXHw4jj0KnZ+Uy9pNI6OQam3Td/RTcco"
      + "DMKCaxJr7WINa11vWnW0XFEPrY5LvfFtW7eMgktwalT2hLJTqzQ5OyuWYeaNilYM9kGvWm8n2oHBoex5rVKxylWjpDl6"
      + "3tI1xyibBZw7Rkn3QAPPUFQsPW/YuNDYQX5Tr9lUcqeSUcCJgBA7FIOp7yJtQ8d0HK0iZv1owap3F97L0Tbqe9k4ocrC"
      + "pPtE7pWLhu3UsW16US9hukLwkufCqyyu1SCEEJ7UWgZW9L3FVhuON7Y7QfwbZVN39wD3DZrbxaKnUcvFgshQ0wsVBWKX"
      + "t618fZ2pif7EQQ+HfhpPDCqQCCqLxpnKcszh6lw/ddtPgknWnVASHKsSIORo1J3wvEfYx4S/FXKNtHQFdSlct9gtfk8K"
      + "mdQWpqGmwhUFK8zzbJ3/ETafRvOEIlroKHe4ugVkk93m38dCkOFmiOxBgvp/Vt0LoMWq/KncAL6EODh8ogB3oiYR3IeE"
      + "WfzrU6FI1xIt0NcDtGgobBJi+6le518qh1K9CnA0IOi3BmSFvcH320IQRUAwWcpxEGL6jGtsjf/ZFglEAlk6AcMMGN+p"
      + "xzM2owzR+9j1ovGClouzDrbKNvln7SGonOCqlNgB8VdDPg5MSvhT9QOcYll+tyPEkjBAnySdiFTz0zXBrvOfwySok1xO"
      + "mFRtQSqSYtNBBbSDLbDX+P3OpvDco+77AUr/nWsG3IPjuXDUCxYfNvFBE2e/xOb5L/GmXlqtn7xVNwXfP+F+QNgXhH/e"
      + "FQonJ1pGbn6XTV9I4cywGf7j6UM5526fAHvSxVSusv3nYChZ0aytbd25kK9ULmiWVd5N7uiW27HJzER6JD2K31j83P6/"
      + "X5Bxv5v47/y/gmKjzNMLAAA="
    let decoded = Base64.decode(Array(text.utf8).span.bytes)
    let compressed = try #require(decoded)
    var decoder = StreamDecoder(.gzip)
    var out = ByteBuffer()
    _ = try decoder.decode(compressed.span.bytes, into: &out, limit: 1 << 20)
    return out.copied()
  }

  @Test("Their rows are the records again", arguments: [1, 1 << 20])
  func rows(_ chunk: Int) async throws {
    let schema = Schema(
      [
        Field("id", .string), Field("n", .string), Field("tags", .string), Field("m", .string),
        Field("l", .string), Field("gone", .string),
      ] + EventColumn.fields)
    var builder = try ChangeBatchBuilder(schema: schema, keyFields: ["id"], table: "T")
    let rejected = try await readAll([("in/delivered", try Self.sample())], into: &builder, chunk: chunk)
    let batch = try builder.finish()
    let columns = ["id", "n", "tags", "m", "l", "gone", EventColumn.id, EventColumn.name, EventColumn.time]
      .map { batch.rows.texts($0) }
    let rows = (0..<batch.count).map { row in
      (batch.isDelete[row] ? "-" : "+") + columns.map { " " + $0[row] }.joined()
    }
    #expect(
      rows == [
        #"+ a 1.50 ["x","y"] {"x":2} ["q",3] null e1 INSERT 1705312800000001"#,
        "+ a text null null null null e2 MODIFY 1705312800000002",
        "- a null null null null null e3 REMOVE 1705312800000003",
      ])
    // Of a type that the table did not have, the value is lost: that is told.
    #expect(rejected.count == 1)
    #expect(rejected.first?.reason.description == "attribute \"n\" of NewImage: a value without type tag")
  }

  @Test("They say what they say in their own form, the image of before too")
  func normalForm() async throws {
    var records = ChangeNormalizer()
    let rejected = try await readAll([("in/delivered", try Self.sample())], into: &records)
    #expect(rejected.count == 1)
    let lines = String(decoding: records.takeLines(), as: UTF8.self).split(separator: "\n")
    try #require(lines.count == 3)
    #expect(lines[1].contains(#""OldImage":{"id":{"S":"a"},"n":{"N":"1.50"}}"#))
    #expect(
      lines[2].contains(
        #""userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"}"#))
  }
}
