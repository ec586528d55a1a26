import type { FastifyInstance, FastifyRequest } from "fastify";
import { SafelightError } from "../errors.ts";

/**
 * Bodies are JSON or nothing; uploads bring a parser of their own. A route that takes no body lets whatever comes along pass unread,
 * since many clients send a content type, or an empty form, with every POST.
 */
export function readBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  // A body that tries to set a prototype is refused outright.
  const parseJson = app.getDefaultJsonParser("error", "error");
  app.addContentTypeParser<string>("application/json", { parseAs: "string" }, (request, body, done) => {
    const takes = request.routeOptions.config.body;
    if (takes === undefined || (takes === "optional" && body === "")) return done(null, undefined);
    if (isEncoded(request)) return done(wrongType());
    if (body === "") return done(new SafelightError("malformed_json", "The body is empty."));
    return parseJson(request, body, done);
  });
  app.addContentTypeParser<string>(
    "application/x-www-form-urlencoded",
    { parseAs: "string" },
    (request, body, done) => {
      const { body: takes, formField } = request.routeOptions.config;
      if (takes === undefined || (takes === "optional" && body === "")) return done(null, undefined);
      if (formField === undefined || isEncoded(request)) return done(wrongType());
      return parseJson(request, new URLSearchParams(body).get(formField) ?? "", done);
    },
  );
  app.addContentTypeParser<string>("*", { parseAs: "string" }, (request, body, done) => {
    const takes = request.routeOptions.config.body;
    if (takes === undefined || (takes === "optional" && body === "")) return done(null, undefined);
    done(wrongType());
  });
}

// A compressed body could be small on the way and huge in memory.
function isEncoded(request: FastifyRequest): boolean {
  return (request.headers["content-encoding"] ?? "identity") !== "identity";
}

function wrongType(): SafelightError {
  return new SafelightError("unsupported_media_type", "The body must be application/json, without compression.");
}
