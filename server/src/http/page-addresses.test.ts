import { describe, expect, test } from "vitest";
import { acceptsPage, prefersPage } from "./page-addresses.ts";

const chrome = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";

describe("a navigation", () => {
  test.each([chrome, "text/html", "TEXT/HTML, application/json;q=0.9", "text/html;level=1, */*;q=0.5"])(
    "%s wants the page",
    (accept) => expect(prefersPage(accept)).toBe(true),
  );

  test.each([
    undefined,
    "",
    "*/*",
    "text/*",
    "application/json",
    "application/json, text/html",
    "text/html;q=0.5, application/json",
    "text/html;q=0.5, */*",
    "text/html;q=0, application/json;q=0.1",
    "text/html;q=0",
    "text/html;q=much",
  ])("%s does not", (accept) => expect(prefersPage(accept)).toBe(false));
});

describe("where there is only a page", () => {
  test.each([undefined, "", "*/*", "text/*", chrome, "application/json;q=0.5, text/html"])("%s takes it", (accept) =>
    expect(acceptsPage(accept)).toBe(true),
  );

  test.each(["application/json", "text/html;q=0.1, application/json", "text/html;q=0, */*", "image/png"])(
    "%s does not",
    (accept) => expect(acceptsPage(accept)).toBe(false),
  );
});
