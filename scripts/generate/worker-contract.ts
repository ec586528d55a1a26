/** What a worker in Python needs of contract and catalog, in one file beside its code, so that it can be installed alone. */
import { catalog, type ModelEntry, type ParameterEntry } from "../../catalog/src/index.ts";
import { workerErrorCodes, workerTaskErrorCodes } from "../../contract/src/worker/errors.ts";
import { workerLimits, workerMediaTypes, workerProtocol } from "../../contract/src/worker/protocol.ts";

/** Texts for people stay out: a worker shows no form. */
export function buildWorkerContract(): unknown {
  return {
    protocol: workerProtocol,
    limits: workerLimits,
    media_types: workerMediaTypes,
    error_codes: workerErrorCodes,
    task_error_codes: workerTaskErrorCodes,
    catalog_version: catalog.catalog_version,
    models: catalog.models.map(modelOf),
  };
}

function modelOf({ id, aliases, name, family, type, licence, modes, parameters }: ModelEntry): unknown {
  return {
    id,
    aliases,
    name,
    family,
    type,
    licence: licence.name,
    modes: modes.map((mode) => ({ id: mode.id, requires: mode.requires })),
    parameters: parameters.map(parameterOf),
  };
}

function parameterOf(parameter: ParameterEntry): unknown {
  const { label: _label, help: _help, option_labels: _options, group: _group, control: _control, ...facts } = parameter;
  const { fields, unit: _unit, visible: _visible, depends_on: _depends, recommended: _recommended, ...rest } = facts;
  if (fields === undefined) return rest;
  return { ...rest, fields: fields.map(({ label: _text, control: _form, ...field }) => field) };
}
