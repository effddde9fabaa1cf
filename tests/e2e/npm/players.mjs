// What players send to game servers and to the ping service, with nothing but sockets. Used by the walk.
import assert from "node:assert/strict";
import dgram from "node:dgram";
import net from "node:net";

/** Send a packet, and wait for the answer. */
export function packet(host, port, data) {
  return new Promise((resolve, reject) => {
    const socket = dgram.createSocket("udp4");
    const timer = setTimeout(() => reject(new Error(`no packet came from ${host}:${port}`)), 5000);
    socket.once("error", reject);
    socket.once("message", (answer) => {
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    });
    socket.send(data, port, host);
  });
}

/** Speak on a connection, and wait for so many bytes. */
export function speak(host, port, data, bytes) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, host, () => socket.write(data));
    let heard = Buffer.alloc(0);
    socket.setTimeout(5000, () => socket.destroy(new Error(`${host}:${port} is silent`)));
    socket.once("error", reject);
    socket.on("data", (piece) => {
      heard = Buffer.concat([heard, piece]);
      if (heard.length >= bytes) {
        socket.destroy();
        resolve(heard);
      }
    });
  });
}

/** A teeworlds player: a token first, then the server's information. */
export async function teeworlds({ host, port }) {
  const socket = dgram.createSocket("udp4");
  const answer = (data) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("teeworlds is silent")), 5000);
      socket.once("message", (heard) => (clearTimeout(timer), resolve(heard)));
      socket.send(data, port, host);
    });
  const mine = Buffer.from("12345678", "hex");
  const ask = Buffer.concat([Buffer.from([4, 0, 0, 255, 255, 255, 255, 5]), mine, Buffer.alloc(508)]);
  const theirs = (await answer(ask)).subarray(8, 12);
  const info = Buffer.concat([Buffer.from([0x21]), theirs, mine, Buffer.from("ffffffff", "hex"), Buffer.from("gie3\0")]);
  const heard = await answer(info);
  socket.close();
  return heard;
}

/** Send a message over a WebSocket and get it back, with nothing but a socket: node 20 has no client. */
export async function websocket(host, port, path) {
  const hello =
    `GET ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
  const frame = Buffer.from([0x81, 0x84, 0, 0, 0, 0, ...Buffer.from("ping")]); // masked with zeros
  const socket = net.connect(port, host, () => socket.write(hello));
  let heard = "";
  return await new Promise((resolve, reject) => {
    let greeted = false;
    socket.setTimeout(5000, () => socket.destroy(new Error("the WebSocket is silent")));
    socket.once("error", reject);
    socket.on("data", (piece) => {
      heard += piece.toString("latin1");
      if (!greeted && heard.includes("\r\n\r\n")) {
        assert.match(heard, /^HTTP\/1.1 101 /);
        assert.ok(heard.includes("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        greeted = true;
        heard = heard.split("\r\n\r\n")[1];
        socket.write(frame);
      }
      if (greeted && heard.endsWith("ping")) {
        socket.destroy();
        resolve(heard);
      }
    });
  });
}
