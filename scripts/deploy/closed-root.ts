// Runs a program in what is left of a machine inside a container: a root folder that cannot be written, the image in its place, its own
// volume, a /tmp of memory, a user of its own with no right that others have not. Made of mounts that only the program itself sees: needs
// Linux and root.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, lstatSync } from "node:fs";

export interface Inside {
  /** An empty folder that becomes the root. */
  readonly root: string;
  /** Folders of this machine by the place that they get; with `write` they can be written. */
  readonly folders: Readonly<Record<string, { readonly from: string; readonly write?: boolean }>>;
  readonly folder: string;
  /** Number of user and group. */
  readonly user: number;
  readonly environment: Readonly<Record<string, string>>;
}

/** Starts the program; a signal to the child reaches it, as nothing stands between. */
export function startInside(inside: Inside, command: readonly string[]): ChildProcess {
  const variables = Object.entries(inside.environment).map(([name, value]) => `${name}=${value}`);
  const script = [
    "set -eu",
    `r=${inside.root}`,
    'mount -t tmpfs -o mode=0755 none "$r"',
    'mkdir -p "$r/usr" "$r/etc" "$r/proc" "$r/dev" "$r/tmp"',
    // Of this machine: libraries and programs, names of hosts, no users.
    ...["bin", "sbin", "lib", "lib64"].filter((name) => existsSync(`/${name}`)).map(linkOrMount),
    ...readOnly("/usr", "/usr"),
    'for f in hosts resolv.conf nsswitch.conf ld.so.cache; do [ ! -e "/etc/$f" ] || cp "/etc/$f" "$r/etc/$f"; done',
    'mount --rbind /dev "$r/dev"',
    'mount --rbind /proc "$r/proc"',
    'mount -t tmpfs -o mode=1777 none "$r/tmp"',
    ...Object.entries(inside.folders).flatMap(([place, { from, write }]) =>
      write === true
        ? [`mkdir -p "$r${place}"`, `mount --bind ${quote(from)} "$r${place}"`]
        : [`mkdir -p "$r${place}"`, ...readOnly(from, place)],
    ),
    'mount -o remount,ro "$r"',
    `exec chroot "$r" setpriv ${becoming(inside.user)} env -i ${variables.map(quote).join(" ")} sh -c 'cd "$0" && exec "$@"' ${inside.folder} ${command.map(quote).join(" ")}`,
  ].join("\n");
  return spawn("unshare", ["--mount", "--propagation", "private", "sh", "-c", script], {
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function becoming(user: number): string {
  return `--reuid ${user} --regid ${user} --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all`;
}

function readOnly(from: string, place: string): string[] {
  return [`mount --rbind ${quote(from)} "$r${place}"`, `mount -o remount,bind,ro "$r${place}"`];
}

function linkOrMount(name: string): string {
  if (lstatSync(`/${name}`).isSymbolicLink()) return `ln -s usr/${name} "$r/${name}"`;
  return [`mkdir -p "$r/${name}"`, ...readOnly(`/${name}`, `/${name}`)].join("\n");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
