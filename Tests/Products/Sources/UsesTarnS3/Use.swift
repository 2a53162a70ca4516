import TarnS3

func use(_ options: S3Options) -> S3Client { S3Client(options) }
