import TarnS3

func use(_ options: S3Options) throws -> S3Client { try S3Client(options) }
