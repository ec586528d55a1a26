import { type FileHandle, mkdir, open, readdir, rename, stat, unlink } from "node:fs/promises";

/**
 * The part of `node:fs/promises` the disk store works with, named so that a test can hand in one whose Nth call fails with
 * ENOSPC or EIO: a disk has no other switch for that.
 */
export interface MediaFileSystem {
  open(path: string, flags: string, mode?: number): Promise<MediaFileHandle>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  mkdir(path: string, options: { recursive: true; mode: number }): Promise<string | undefined>;
  stat(path: string): Promise<{ size: number; mtimeMs: number; isFile(): boolean }>;
  readdir(path: string): Promise<string[]>;
}

export type MediaFileHandle = Pick<FileHandle, "read" | "write" | "sync" | "close" | "createReadStream">;

export const diskFileSystem: MediaFileSystem = { open, rename, unlink, mkdir, stat, readdir };
