import { once } from "node:events";
import { type AddressInfo, createConnection, createServer, type Socket } from "node:net";

/** Stands between a client and a server of this machine, and can hold or break what goes through. */
export interface TcpGate {
  readonly port: number;
  /** Nothing passes from now on, in neither direction, and nobody is told: as when a cable is pulled. */
  freeze(): void;
  thaw(): void;
  /** The next time these bytes pass to the server, its answer is lost and the connection breaks; the answer holds the same bytes. */
  loseAnswerTo(bytes: string): void;
  close(): Promise<void>;
}

export async function openGate(target: number): Promise<TcpGate> {
  const sockets = new Set<Socket>();
  let isFrozen = false;
  let last: string | null = null;
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
    if (isFrozen) socket.pause();
  };
  const server = createServer((near) => {
    const far = createConnection({ port: target, host: "127.0.0.1" });
    for (const socket of [near, far]) keep(socket);
    let isMute = false;
    let mute = "";
    near.on("data", (bytes) => {
      if (last !== null && bytes.includes(last)) {
        [isMute, mute, last] = [true, last, null];
      }
      far.write(bytes);
    });
    far.on("data", (bytes) => {
      if (!isMute) near.write(bytes);
      else if (bytes.includes(mute)) near.destroy();
    });
    near.once("close", () => far.destroy());
    far.once("close", () => near.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    freeze() {
      isFrozen = true;
      for (const socket of sockets) socket.pause();
    },
    thaw() {
      isFrozen = false;
      for (const socket of sockets) socket.resume();
    },
    loseAnswerTo(bytes) {
      last = bytes;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
