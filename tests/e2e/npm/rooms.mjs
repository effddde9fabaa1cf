// Rooms, processes and what they print, of today.
import assert from "node:assert/strict";
import { active, cloud, op, refused, say, text, until } from "./kit.mjs";
import { packet, speak, teeworlds, websocket } from "./players.mjs";

export async function discovery() {
  const places = await op("GetPingServiceEndpoints", cloud.discoveryV2.getPingServiceEndpoints());
  assert.ok(places.length > 0);
  const { host, port } = places[0];
  assert.equal((await packet(host, port, Buffer.from("how far?"))).toString(), "how far?");
  for (const path of ["/ws", "/"]) assert.ok((await websocket(host, port, path)).endsWith("ping"));
}

export async function rooms(appId, deployed) {
  const room = await op(
    "CreateRoom",
    cloud.roomsV2.createRoom({ region: "Tokyo", roomConfig: '{"map":"ctf1"}', clientIPs: ["127.0.0.1"] }, appId),
  );
  const info = await active(appId, room.roomId);
  assert.equal(info.exposedPort.transportType, "udp");
  const heard = await teeworlds(info.exposedPort);
  assert.ok(heard.includes("inf3"), heard.toString("latin1"));
  say("teeworlds answered a player");

  const told = await op("GetRoomInfo", cloud.roomsV2.getRoomInfo(room.roomId, appId));
  assert.equal(told.status, "active");
  assert.equal(told.allocations.length, 1);
  assert.equal(told.currentAllocation.processId, room.processId);
  assert.equal(told.roomConfig, '{"map":"ctf1"}');
  const second = await cloud.roomsV2.createRoom({ region: "Tokyo" }, appId, "a-room-of-ours");
  assert.equal(second.roomId, "a-room-of-ours");
  assert.equal(second.processId, room.processId);
  assert.equal(second.status, "active");
  const here = await op(
    "GetActiveRoomsForProcess", cloud.roomsV2.getActiveRoomsForProcess(room.processId, appId),
  );
  assert.deepEqual(here.map((one) => one.roomId), [room.roomId, "a-room-of-ours"]);
  await op("UpdateRoomConfig", cloud.roomsV2.updateRoomConfig(room.roomId, { roomConfig: "next" }, appId));
  assert.equal((await cloud.roomsV2.getRoomInfo(room.roomId, appId)).roomConfig, "next");

  await op("SuspendRoomV2Deprecated", cloud.roomsV2.suspendRoomV2Deprecated(room.roomId, appId));
  assert.equal((await cloud.roomsV2.getRoomInfo(room.roomId, appId)).status, "suspended");
  const again = await op("ResumeRoom", cloud.roomsV2.resumeRoom(room.roomId, appId));
  assert.equal(again.status, "active");
  assert.equal((await cloud.roomsV2.getRoomInfo(room.roomId, appId)).allocations.length, 2);

  const pinned = await cloud.roomsV2.createRoom({ region: "London", deploymentId: deployed.bzflag }, appId);
  const { exposedPort } = await active(appId, pinned.roomId);
  const greeting = await speak(exposedPort.host, exposedPort.port, "BZFLAG\r\n\r\n", 8);
  assert.match(greeting.toString("latin1"), /^BZFS\d{4}/);
  say("bzflag answered a player");

  await op("DestroyRoom", cloud.roomsV2.destroyRoom("a-room-of-ours", appId));
  await refused(404, /over|no room/, cloud.roomsV2.getConnectionInfo("a-room-of-ours", appId));
  await refused(404, /./, cloud.roomsV2.destroyRoom("a-room-of-ours", appId));
  const gone = await op(
    "GetInactiveRoomsForProcess", cloud.roomsV2.getInactiveRoomsForProcess(room.processId, appId),
  );
  assert.ok(gone.some((one) => one.roomId === "a-room-of-ours"));
  await refused(400, /room id/, cloud.roomsV2.createRoom({ region: "Tokyo" }, appId, "a-room-of-ours"));
  await refused(422, /region/, cloud.roomsV2.createRoom({ region: "Mars" }, appId));
  await refused(422, /roomId/, cloud.roomsV2.createRoom({ region: "Tokyo" }, appId, "no spaces"));
  await refused(404, /./, cloud.roomsV2.getRoomInfo("never-was", appId));
  return { teeworlds: room, bzflag: pinned };
}

export async function processes(appId, opened) {
  const extra = await op("CreateProcess", cloud.processesV3.createProcess("Sydney", appId));
  assert.equal(extra.exposedPort, null);
  const running = await until("the process", async () => {
    const process = await op("GetProcess", cloud.processesV3.getProcess(extra.processId, appId));
    return process.status === "running" && process;
  });
  assert.ok(running.startedAt instanceof Date && running.exposedPort.port > 0);
  const latest = await op("GetLatestProcesses", cloud.processesV3.getLatestProcesses(appId));
  assert.equal(latest.length, 3);
  assert.equal(latest[0].processId, extra.processId);
  const some = await cloud.processesV3.getLatestProcesses(appId, ["running"], ["London", "Tokyo"]);
  assert.deepEqual(some.map((one) => one.region).sort(), ["London", "Tokyo"]);
  const before = Math.floor(running.createdAt.getTime() / 1000) - 3600;
  assert.equal((await cloud.processesV3.getLatestProcesses(appId, undefined, undefined, before)).length, 0);
  const count = await op(
    "GetProcessesCountExperimental", cloud.processesV3.getProcessesCountExperimental(appId, ["running"]),
  );
  assert.equal(count.count, 3);
  const metrics = await until("figures", async () => {
    const request = { appId, processId: opened.bzflag.processId, metrics: ["cpu", "memory", "activeConnections"], step: 1 };
    const found = await op("GetProcessMetrics", cloud.processesV3.getProcessMetrics(request));
    // The first measurement may be of a program that has only just begun, and uses next to nothing.
    return found.memory.length > 0 && found.memory.at(-1).value > 1 << 20 && found;
  });
  assert.ok(metrics.memory.at(-1).value < 512 << 20, "bzfs uses a few mebibytes");
  await cloud.processesV3.getProcessMetrics({ appId, processId: extra.processId });
  await op("StopProcess", cloud.processesV3.stopProcess(extra.processId, appId));
  const stopped = await until("the stop", async () => {
    const process = await cloud.processesV3.getProcess(extra.processId, appId);
    return process.status === "stopped" && process;
  });
  assert.match(stopped.summaryExitReason, /stopped by/);
  await refused(404, /./, cloud.processesV3.getProcess("11111111-1111-4111-8111-111111111111", appId));
}

export async function logs(appId, opened) {
  const { processId } = opened.teeworlds;
  const tail = await text(await op("GetLogsForProcess", cloud.logsV1.getLogsForProcess(processId, appId, false, 3)));
  assert.equal(tail.trimEnd().split("\n").length, 3, tail);
  const following = text(await cloud.logsV1.getLogsForProcess(processId, appId, true, 5000));
  await cloud.processesV3.stopProcess(processId, appId);
  const whole = await following; // ends when the process does
  const kept = await text(await op("DownloadLogForProcess", cloud.logsV1.downloadLogForProcess(processId, appId)));
  assert.ok(kept.includes("server name is 'inn'") || kept.includes("inn"), kept);
  assert.equal(kept, whole);
  const over = await cloud.roomsV2.getRoomInfo(opened.teeworlds.roomId, appId);
  assert.equal(over.status, "destroyed");
}
