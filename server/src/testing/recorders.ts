// Ears on the loopback: one that must hear nothing, one that hears what goes to a worker.
import { connect, createServer, type Server, type Socket } from "node:net";

/** Stands for a place that must not be called: takes every connection and notes every byte. */
export interface Sink {
  readonly port: number;
  readonly url: string;
  /** Connections and bytes so far. */
  heard(): { connections: number; bytes: number };
  close(): Promise<void>;
}

export async function openSink(host = "127.0.0.1"): Promise<Sink> {
  let [connections, bytes] = [0, 0];
  const ear = await listen(host, (socket) => {
    connections += 1;
    socket.on("data", (piece) => (bytes += piece.length));
  });
  return { ...ear, heard: () => ({ connections, bytes }) };
}

/** Passes every byte on to a worker and back, and keeps what it was sent. */
export interface Recorder {
  readonly port: number;
  readonly url: string;
  /** Everything that arrived so far, as text. */
  heard(): string;
  forget(): void;
  close(): Promise<void>;
}

export async function recordInFrontOf(target: string): Promise<Recorder> {
  const { hostname, port } = new URL(target);
  let heard = "";
  const ear = await listen("127.0.0.1", (socket) => {
    const onwards = connect(Number(port), hostname);
    socket.on("data", (piece) => (heard += piece.toString("latin1")));
    socket.pipe(onwards).pipe(socket);
    onwards.on("error", () => socket.destroy());
    socket.on("close", () => onwards.destroy());
  });
  return { ...ear, heard: () => heard, forget: () => void (heard = "") };
}

async function listen(host: string, greet: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
    greet(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  return { port, url: `http://${host}:${port}`, close };
}
