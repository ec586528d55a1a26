export function buildOpenApi(): Record<string, unknown> {
  return {};
}
