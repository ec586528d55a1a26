/** Health and documentation. */
import Type from "typebox";
import { endpoints } from "../endpoints.ts";
import { Health } from "../schemas/health.ts";
import { json, origin } from "./error-sets.ts";

export const systemRoutes = {
  getHealth: {
    name: "getHealth",
    ...endpoints.getHealth,
    group: "system",
    access: "public",
    summary: "Ask whether the server lives",
    description:
      "Answers as long as the process does. ready says whether tasks are accepted. Holds no secrets and no counts.",
    responses: { 200: { description: "The server lives.", content_type: json, schema: Health } },
    errors: [...origin, "internal"],
  },
  getOpenApi: {
    name: "getOpenApi",
    ...endpoints.getOpenApi,
    group: "system",
    access: "public",
    summary: "Read this document",
    description: "The OpenAPI 3.1 document of exactly the routes this server has.",
    responses: {
      200: { description: "The document.", content_type: json, schema: Type.Record(Type.String(), Type.Unknown()) },
    },
    errors: [...origin, "internal"],
  },
  getDocs: {
    name: "getDocs",
    ...endpoints.getDocs,
    group: "system",
    access: "public",
    summary: "Read the documentation",
    description: "A page that shows the OpenAPI document for people.",
    responses: { 200: { description: "The page.", content_type: "text/html", schema: Type.String() } },
    errors: [...origin, "internal"],
  },
} as const;
