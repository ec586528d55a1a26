import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readConfig } from "./config.ts";
import { problemsOf } from "./testing/setting-problems.ts";

describe("MEDIA_URL", () => {
  test("is nowhere by default, and then nothing of AWS_… is looked at", () => {
    const config = readConfig({ AWS_SECRET_ACCESS_KEY: "with a blank", AWS_REGION: "?" });
    expect(config.mediaBucket).toBeNull();
    expect(config.mediaDelivery).toBe("gateway");
  });

  test("names bucket, prefix, server and region", () => {
    const text = "s3://studio-media/a/b_1?endpoint=https://s3.example.org&region=eu-central-1&path_style=0";
    expect(readConfig({ MEDIA_URL: text }).mediaBucket).toEqual({
      location: {
        bucket: "studio-media",
        prefix: "a/b_1",
        endpoint: "https://s3.example.org",
        publicEndpoint: null,
        region: "eu-central-1",
        pathStyle: false,
      },
      keys: null,
    });
    const own = readConfig({ MEDIA_URL: "s3://media?endpoint=http://10.0.0.5:9000&public_endpoint=https://m.example" });
    expect(own.mediaBucket?.location).toEqual({
      bucket: "media",
      prefix: "",
      endpoint: "http://10.0.0.5:9000",
      publicEndpoint: "https://m.example",
      region: "us-east-1",
      pathStyle: true,
    });
    const amazon = readConfig({ MEDIA_URL: "s3://media/", AWS_REGION: "eu-north-1" }).mediaBucket?.location;
    expect(amazon).toMatchObject({ prefix: "", endpoint: null, region: "eu-north-1", pathStyle: false });
  });

  test.each([
    ["https://media.example/bucket", "must look like s3://"],
    ["s3:", "must look like s3://|names no bucket"],
    ["s3://", "must look like s3://|names no bucket"],
    ["bucket", "must look like s3://"],
    ["s3://bucket:9000/x?region=eu-north-1", "must look like s3://"],
    ["s3://bucket/x?region=eu-north-1#part", "must look like s3://"],
    ["s3://bucket/x y?region=eu-north-1", "must look like s3://"],
    ["s3://Bucket?region=eu-north-1", "names no bucket"],
    ["s3://ab?region=eu-north-1", "names no bucket"],
    ["s3://a..b?region=eu-north-1", "names no bucket"],
    ["s3://10.0.0.5?region=eu-north-1", "names no bucket"],
    ["s3://bucket/../x?region=eu-north-1", "names no bucket|has a prefix|^$"],
    ["s3://bucket/a//b?region=eu-north-1", "has a prefix"],
    ["s3://bucket/a/.hidden?region=eu-north-1", "has a prefix"],
    ["s3://bucket/ä?region=eu-north-1", "has a prefix"],
    ["s3://KEY4567:hidden99@bucket?region=eu-north-1", "holds a user or password"],
    ["s3://KEY4567@bucket?region=eu-north-1", "holds a user or password"],
    ["s3://bucket?endpoint=https://KEY4567:hidden99@s3.example", "holds a user or password"],
    ["s3://bucket?region=eu-north-1&access_key=hidden99", "takes each of these once and no others"],
    ["s3://bucket?region=eu-north-1&region=eu-west-1", "takes each of these once and no others"],
    ["s3://bucket?endpoint=s3.example", "endpoint must be"],
    ["s3://bucket?endpoint=https://s3.example/path", "endpoint must be"],
    ["s3://bucket?endpoint=https://s3.example&public_endpoint=ftp://x", "endpoint must be"],
    ["s3://bucket", "needs a region"],
    ["s3://bucket?region=no_region!", "needs a region"],
    ["s3://bucket?region=eu-north-1&path_style=maybe", "path_style must be"],
  ])("refuses %s in one line that repeats nothing of it", (text, reason) => {
    const problems = problemsOf({ MEDIA_URL: text });
    if (reason.endsWith("|^$") && problems.length === 0) return;
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^MEDIA_URL: (?:${reason})`));
    expect(problems[0]).not.toMatch(/hidden99|KEY4567/);
  });

  test("takes its keys from variables or files, both or neither", async () => {
    const folder = await mkdtemp(join(tmpdir(), "safelight-keys-"));
    try {
      const file = join(folder, "key");
      await writeFile(file, "from-a-file\n", { mode: 0o600 });
      const MEDIA_URL = "s3://media?region=eu-north-1";
      const config = readConfig({ MEDIA_URL, AWS_ACCESS_KEY_ID: "one", AWS_SECRET_ACCESS_KEY_FILE: file });
      expect(config.mediaBucket?.keys).toEqual({ accessKeyId: "one", secretAccessKey: "from-a-file" });
      // These files decide about a bucket, not about who comes in here.
      expect(config.secretFiles).toEqual([]);
      const session = { AWS_ACCESS_KEY_ID: "one", AWS_SECRET_ACCESS_KEY: "two", AWS_SESSION_TOKEN: "three" };
      expect(readConfig({ MEDIA_URL, ...session }).mediaBucket?.keys).toMatchObject({ sessionToken: "three" });
      expect(problemsOf({ MEDIA_URL, AWS_ACCESS_KEY_ID: "one" })).toEqual([
        "AWS_SECRET_ACCESS_KEY: must be set where the other of the two is: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY.",
      ]);
      expect(problemsOf({ MEDIA_URL, AWS_SECRET_ACCESS_KEY: "two" })[0]).toMatch(/^AWS_ACCESS_KEY_ID: must be set/);
      expect(problemsOf({ MEDIA_URL, AWS_SECRET_ACCESS_KEY_FILE: join(folder, "none") })[0]).toMatch(/ENOENT/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("MEDIA_DELIVERY signed needs a bucket", () => {
    expect(problemsOf({ MEDIA_DELIVERY: "signed" })).toEqual([
      "MEDIA_DELIVERY: signed needs a MEDIA_URL; a disk signs nothing.",
    ]);
    expect(problemsOf({ MEDIA_DELIVERY: "direct" })).toHaveLength(1);
    const config = readConfig({ MEDIA_URL: "s3://media?region=eu-north-1", MEDIA_DELIVERY: "signed" });
    expect(config.mediaDelivery).toBe("signed");
  });
});
