/** Whether an address is one of the operator's: they have a session and a bar of their own. */
export function isAdminPath(path: string): boolean {
  return path === "/admin" || path.startsWith("/admin/");
}
