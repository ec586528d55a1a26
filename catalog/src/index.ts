export { catalog, findMode, findModel, isRequired, parametersOf } from "./catalog.ts";
export type { CheckedRequest, Refusal, RefusalCode } from "./check.ts";
export { checkRequest } from "./check.ts";
export type { FieldError, FieldErrorCode } from "./field-errors.ts";
export { fieldErrorCodes } from "./field-errors.ts";
export type { JsonSchema } from "./request-schema.ts";
export { parameterSchema, requestSchema, workspacePattern } from "./request-schema.ts";
export type {
  Catalog,
  KeyframeField,
  Language,
  Licence,
  MediaType,
  Mode,
  ModeEntry,
  ModelEntry,
  ModelId,
  Note,
  OptionValue,
  ParameterControl,
  ParameterEntry,
  ParameterGroup,
  ParameterType,
  Preset,
  PresetGroup,
  Size,
  Text,
} from "./types.ts";
export { languages } from "./types.ts";
