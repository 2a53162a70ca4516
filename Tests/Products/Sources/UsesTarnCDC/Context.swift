import TarnColumns
import TarnStorage

// What the examples take for given; nothing here is run.
func given<Value>() -> Value { preconditionFailure("nothing here is run") }
let schema: Schema = given()
let storage: any Storage = given()
let paths: [String] = given()
let lines: String = given()
let event: [UInt8] = given()
