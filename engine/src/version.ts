/** What results name as the engine that drew them. */
export const ENGINE_NAME = "sketch";

/**
 * Version of the engine, equal to the package's. Same job and same version on one machine give the same bytes, so it
 * rises with every change that alters a pixel or a byte of a result.
 */
export const ENGINE_VERSION = "0.1.0";
