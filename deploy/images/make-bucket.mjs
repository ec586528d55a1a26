// Makes the bucket that MEDIA_URL names, where it is not there yet. Once, before the first gateway: a gateway itself makes none.
import { CreateBucketCommand, HeadBucketCommand } from "@aws-sdk/client-s3";
import { openPlace } from "../../server/src/media/s3-place.ts";
import { parseMediaUrl } from "../../server/src/media-setting.ts";

const location = parseMediaUrl(process.env["MEDIA_URL"] ?? "", process.env["AWS_REGION"]);
if ("problem" in location) throw new Error(`MEDIA_URL: ${location.problem}`);
const { client } = openPlace(location, null);
const bucket = { Bucket: location.bucket };
try {
  await client.send(new HeadBucketCommand(bucket));
  console.log(`The bucket ${location.bucket} is there.`);
} catch (error) {
  if (error?.$metadata?.httpStatusCode !== 404) throw error;
  await client.send(new CreateBucketCommand(bucket));
  console.log(`Made the bucket ${location.bucket}.`);
}
