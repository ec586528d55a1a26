// Makes the bucket that MEDIA_URL names, where it is not there yet. Once, before the first gateway: a gateway itself makes none.
import { CreateBucketCommand, HeadBucketCommand, S3Client } from "@aws-sdk/client-s3";

const { protocol, hostname: bucket, searchParams } = new URL(process.env["MEDIA_URL"] ?? "");
if (protocol !== "s3:" || bucket === "") throw new Error("MEDIA_URL must be s3://bucket/… here.");
const endpoint = searchParams.get("endpoint");
const client = new S3Client({
  region: searchParams.get("region") ?? "us-east-1",
  // Without a name of its own for each bucket, which a server inside has none of.
  ...(endpoint === null ? {} : { endpoint, forcePathStyle: true }),
});
try {
  await client.send(new HeadBucketCommand({ Bucket: bucket }));
  console.log(`The bucket ${bucket} is there.`);
} catch (error) {
  if (error?.$metadata?.httpStatusCode !== 404) throw error;
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  console.log(`Made the bucket ${bucket}.`);
}
