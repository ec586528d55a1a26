import { diskFileSystem, type MediaFileHandle, type MediaFileSystem } from "../media/media-file-system.ts";

export interface FailingFileSystem extends MediaFileSystem {
  /** The nth call from now on, counted from 1, fails with this error; null lets everything through. */
  failAt(nth: number | null, code: string): void;
  /** Calls since the last `failAt`. */
  readonly calls: number;
}

/** The real disk, except that one chosen call fails; with `shortWrites` every write and read moves a part only. */
export function failingFileSystem(options: { shortWrites?: boolean } = {}): FailingFileSystem {
  let calls = 0;
  let failing: { nth: number; code: string } | null = null;
  const step = (): void => {
    calls += 1;
    if (failing?.nth !== calls) return;
    throw Object.assign(new Error(`${failing.code}: made to fail`), { code: failing.code });
  };
  const watched = (handle: MediaFileHandle): MediaFileHandle => ({
    write: ((bytes: Uint8Array, offset: number, length: number, position: null) => {
      step();
      return handle.write(bytes, offset, options.shortWrites ? Math.min(length, 1000) : length, position);
    }) as MediaFileHandle["write"],
    read: ((bytes: Uint8Array, offset: number, length: number, position: number) => {
      step();
      return handle.read(bytes, offset, options.shortWrites ? Math.min(length, 3) : length, position);
    }) as MediaFileHandle["read"],
    sync: async () => {
      step();
      await handle.sync();
    },
    close: async () => {
      // The descriptor is given back even where closing reports a lost write, as the system does.
      await handle.close();
      step();
    },
    createReadStream: (readOptions) => handle.createReadStream(readOptions),
  });
  return {
    get calls() {
      return calls;
    },
    failAt(nth, code) {
      calls = 0;
      failing = nth === null ? null : { nth, code };
    },
    async open(path, flags, mode) {
      step();
      return watched(await diskFileSystem.open(path, flags, mode));
    },
    async rename(from, to) {
      step();
      await diskFileSystem.rename(from, to);
    },
    async unlink(path) {
      step();
      await diskFileSystem.unlink(path);
    },
    async mkdir(path, mkdirOptions) {
      step();
      return diskFileSystem.mkdir(path, mkdirOptions);
    },
    async stat(path) {
      step();
      return diskFileSystem.stat(path);
    },
    async readdir(path) {
      step();
      return diskFileSystem.readdir(path);
    },
  };
}
