import DynamoDBJSON

func use(_ text: String) throws(DynamoDBJSONError) -> [UInt8] { try AttributeValue(json: text).encoded() }
