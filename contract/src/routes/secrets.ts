/** Keys and other secrets: how old they are, new ones in their place, and their end, for operators. Values are shown nowhere but once. */
import { endpoints } from "../endpoints.ts";
import {
  ApiKey,
  ApiKeyCreated,
  ApiKeyPath,
  ApiKeyRequest,
  ApiKeys,
  RevokeRequest,
  RotateRequest,
  SecretChanged,
  SecretPath,
  Secrets,
} from "../schemas/secrets.ts";
import { door, json, jsonBody, machine } from "./error-sets.ts";

const changed = { 200: { description: "How it stands now.", content_type: json, schema: SecretChanged } } as const;
const one = [...door, "not_found", "validation_failed", ...machine] as const;
const oneWithBody = [...door, ...jsonBody, "not_found", ...machine] as const;

export const secretRoutes = {
  listSecrets: {
    name: "listSecrets",
    ...endpoints.listSecrets,
    group: "admin",
    access: "admin",
    summary: "List secrets",
    description:
      "Every secret with its source, age, former values that still count, and what has to be done. Never a value.",
    responses: { 200: { description: "The secrets.", content_type: json, schema: Secrets } },
    errors: [...door, ...machine],
  },
  rotateSecret: {
    name: "rotateSecret",
    ...endpoints.rotateSecret,
    group: "admin",
    access: "admin",
    summary: "Replace a secret",
    description:
      "Makes a new value in a file that only the server's owner can read. The former one counts beside it for a while; one of the settings until the new one is set there.",
    path_parameters: SecretPath,
    body: { content_type: json, schema: RotateRequest, required: false },
    responses: changed,
    errors: oneWithBody,
  },
  revokeSecret: {
    name: "revokeSecret",
    ...endpoints.revokeSecret,
    group: "admin",
    access: "admin",
    summary: "Revoke a secret",
    description:
      "For one that has leaked: it counts never again, at once, wherever it comes from; sessions that were opened with it and their streams end. A new value is made in its place.",
    path_parameters: SecretPath,
    body: { content_type: json, schema: RevokeRequest, required: false },
    responses: changed,
    errors: oneWithBody,
  },
  retireSecret: {
    name: "retireSecret",
    ...endpoints.retireSecret,
    group: "admin",
    access: "admin",
    summary: "Retire former values",
    description: "Ends the overlap: former values of the secret count no more.",
    path_parameters: SecretPath,
    responses: changed,
    errors: one,
  },
  recoverSecret: {
    name: "recoverSecret",
    ...endpoints.recoverSecret,
    group: "admin",
    access: "admin",
    summary: "Recover from a lost secret",
    description:
      "For one that is lost: a new value in its place, without overlap. For the encryption key: gives up what no key opens, and names the accounts that need new credentials.",
    path_parameters: SecretPath,
    responses: changed,
    errors: one,
  },
  listApiKeys: {
    name: "listApiKeys",
    ...endpoints.listApiKeys,
    group: "admin",
    access: "admin",
    summary: "List API keys",
    description: "API keys with a name of their own, newest first; not the one of the settings.",
    responses: { 200: { description: "The keys.", content_type: json, schema: ApiKeys } },
    errors: [...door, ...machine],
  },
  createApiKey: {
    name: "createApiKey",
    ...endpoints.createApiKey,
    group: "admin",
    access: "admin",
    summary: "Make an API key",
    description: "The key is in this answer and nowhere else; its hash is kept.",
    body: { content_type: json, schema: ApiKeyRequest, required: true },
    responses: { 201: { description: "The key.", content_type: json, schema: ApiKeyCreated } },
    errors: [...door, ...jsonBody, ...machine],
  },
  revokeApiKey: {
    name: "revokeApiKey",
    ...endpoints.revokeApiKey,
    group: "admin",
    access: "admin",
    summary: "Revoke an API key",
    description: "It counts never again; its streams end at once, and so do sessions that were opened with it.",
    path_parameters: ApiKeyPath,
    responses: { 200: { description: "The key after it.", content_type: json, schema: ApiKey } },
    errors: [...door, "not_found", ...machine],
  },
} as const;
