// A whole life through the Hathora Cloud API, by the vendor's own SDK, which parses every answer strictly.
//
//   node walk.mjs FACTS.json
//
// FACTS has url, token, orgId, otherOrgs (two that invited us), idToken (Google's) and googleClient, archives
// (teeworlds of several parts, bzflag), image (one that cannot be had). Prints, as its last line, the ids of the operations that were answered.
import assert from "node:assert/strict";
import dgram from "node:dgram";
import fs from "node:fs";
import net from "node:net";
import { HathoraCloud } from "@hathora/cloud-sdk-typescript";
import { HathoraCloudCore } from "@hathora/cloud-sdk-typescript/core.js";
import { roomsV2SuspendRoomV2Deprecated } from "@hathora/cloud-sdk-typescript/funcs/roomsV2SuspendRoomV2Deprecated.js";
import { ApiError } from "@hathora/cloud-sdk-typescript/models/errors/apierror.js";

const facts = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const { url, token, orgId } = facts;
const options = { serverURL: url, hathoraDevToken: token };
const cloud = new HathoraCloud({ ...options, orgId });
const walked = new Set();
const say = (...words) => console.log(...words);

/** Note that an operation was answered as the SDK expects. */
async function op(name, answer) {
  try {
    const value = await answer;
    walked.add(name);
    return value;
  } catch (error) {
    console.error(`${name}: ${error.name}: ${error.message}`, error.rawValue ?? "", error.cause ?? "");
    throw error;
  }
}

/** The call must be refused with this status, as the SDK's ApiError with a text for people. */
async function refused(status, words, call) {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof ApiError, `${error.name}: ${error.message}`);
    assert.equal(error.statusCode, status, error.message);
    assert.match(error.message, words);
    return;
  }
  assert.fail(`${status} was expected`);
}

async function until(what, condition, seconds = 30) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = await condition();
    if (found) return found;
    assert.ok(Date.now() < end, `${what} did not come true`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function text(stream) {
  let all = "";
  const decoder = new TextDecoder();
  for await (const piece of stream) all += decoder.decode(piece, { stream: true });
  return all;
}

/** Send a packet, and wait for the answer. */
function packet(host, port, data) {
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
function speak(host, port, data, bytes) {
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
async function teeworlds({ host, port }) {
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
async function websocket(host, port, path) {
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

/** Upload as the vendor's CLI does: parts at the same time, ETags, the list of them, without credentials. */
async function upload(name, build, archive) {
  const etags = await Promise.all(
    build.uploadParts.map(async ({ partNumber, putRequestUrl }) => {
      const body = archive.subarray((partNumber - 1) * build.maxChunkSize, partNumber * build.maxChunkSize);
      const answer = await fetch(putRequestUrl, {
        method: "PUT", body, headers: { "Content-Type": "application/octet-stream" },
      });
      assert.equal(answer.status, 200, await answer.text());
      assert.ok(answer.headers.get("etag"), "a part was answered without an ETag");
      return { partNumber, etag: answer.headers.get("etag") };
    }),
  );
  const parts = etags
    .map(({ partNumber, etag }) => `<Part><PartNumber>${partNumber}</PartNumber><ETag>${etag}</ETag></Part>`)
    .join("\n  ");
  const done = await fetch(build.completeUploadPostRequestUrl, {
    method: "POST",
    headers: { "Content-Type": "application/xml" },
    body: `<CompleteMultipartUpload>\n  ${parts}\n</CompleteMultipartUpload>`,
  });
  assert.equal(done.status, 200, await done.text());
  say(`${name}: ${build.uploadParts.length} parts`);
}

const active = (appId, roomId) =>
  until(`room ${roomId}`, async () => {
    const info = await op("GetConnectionInfo", cloud.roomsV2.getConnectionInfo(roomId, appId));
    return info.status === "active" && info;
  });

async function organisation() {
  const { orgs } = await op("GetOrgs", cloud.organizationsV1.getOrgs());
  assert.equal(orgs[0].orgId, orgId);
  assert.ok(orgs[0].scopes.includes("processes:read-write"));
  const { members } = await op("GetOrgMembers", cloud.organizationsV1.getOrgMembers(orgId));
  assert.equal(members.length, 1);
  const invite = await op(
    "InviteUser", cloud.organizationsV1.inviteUser(orgId, { userEmail: "friend@example.com", scopes: "viewer" }),
  );
  assert.equal(invite.scopes, "viewer");
  assert.ok(invite.createdAt instanceof Date);
  const change = { userEmail: "friend@example.com", scopes: ["builds:read"] };
  assert.equal(await op("UpdateUserInvite", cloud.organizationsV1.updateUserInvite(orgId, change)), true);
  const pending = await op("GetOrgPendingInvites", cloud.organizationsV1.getOrgPendingInvites(orgId));
  assert.deepEqual(pending.invites[0].scopes, ["builds:read"]);
  await op("RescindInvite", cloud.organizationsV1.rescindInvite(orgId, { userEmail: "friend@example.com" }));
  assert.equal((await cloud.organizationsV1.getOrgPendingInvites(orgId)).invites.length, 0);

  const mine = await op("GetUserPendingInvites", cloud.organizationsV1.getUserPendingInvites());
  assert.equal(mine.invites.length, 2);
  const [first, second] = facts.otherOrgs;
  await op("AcceptInvite", cloud.organizationsV1.acceptInvite(first));
  await op("RejectInvite", cloud.organizationsV1.rejectInvite(second));
  assert.equal((await cloud.organizationsV1.getUserPendingInvites()).invites.length, 0);
  const after = await cloud.organizationsV1.getOrgs();
  assert.deepEqual(after.orgs.map((org) => org.orgId).sort(), [orgId, first].sort());
  const limits = await op("GetUsageLimits", cloud.organizationsV1.getUsageLimits());
  assert.equal(typeof limits.monthlyProcessVcpuHoursConsumed, "number");

  const made = await op(
    "CreateOrgToken", cloud.tokensV1.createOrgToken(orgId, { name: "reader", scopes: ["applications:read"] }),
  );
  assert.ok(made.plainTextToken.startsWith("hathora_org_st_"));
  const { tokens } = await op("GetOrgTokens", cloud.tokensV1.getOrgTokens(orgId));
  assert.equal(tokens[0].lastFourCharsOfKey, made.plainTextToken.slice(-4));
  const reader = new HathoraCloud({ serverURL: url, hathoraDevToken: made.plainTextToken, orgId });
  await reader.appsV2.getApps();
  await refused(401, /processes:read-write/, reader.processesV3.createProcess("Tokyo", "app-none"));
  assert.equal(await op("RevokeOrgToken", cloud.tokensV1.revokeOrgToken(orgId, made.orgToken.orgTokenId)), true);
  await refused(401, /./, reader.appsV2.getApps());
}

async function apps() {
  const config = { appName: "walk", authConfiguration: { anonymous: {} } };
  const app = await op("CreateApp", cloud.appsV2.createApp(config));
  assert.equal(app.serviceConfig, null);
  const listed = await op("GetApps", cloud.appsV2.getApps());
  assert.equal(listed.applications[0].appId, app.appId);
  assert.equal(listed.applications[0].deployment, undefined);
  const same = await op("GetApp", cloud.appsV2.getApp(app.appId));
  assert.deepEqual(same, app);
  const logins = { anonymous: {}, nickname: {}, google: { clientId: facts.googleClient } };
  const updated = await op(
    "UpdateApp", cloud.appsV2.updateApp({ appName: "walked", authConfiguration: logins }, app.appId),
  );
  assert.equal(updated.appName, "walked");
  const patched = await op("PatchApp", cloud.appsV2.patchApp({ appName: "walking" }, app.appId));
  assert.deepEqual(patched.authConfiguration, updated.authConfiguration);
  await refused(422, /appName/, cloud.appsV2.createApp({ appName: "No Spaces", authConfiguration: {} }));
  await refused(404, /app/, cloud.appsV2.getApp("app-none"));
  const stranger = new HathoraCloud({ serverURL: url, hathoraDevToken: "hathora_org_st_wrong" });
  await refused(401, /token/, stranger.appsV2.getApps());
  return app.appId;
}

async function builds() {
  const made = {};
  for (const [name, file] of Object.entries(facts.archives)) {
    const archive = fs.readFileSync(file);
    const build = await op(
      "CreateBuild", cloud.buildsV3.createBuild({ buildSizeInBytes: archive.length, buildTag: `${name}-1` }),
    );
    assert.equal(build.status, "created");
    await upload(name, build, archive);
    const log = await text(await op("RunBuild", cloud.buildsV3.runBuild(build.buildId)));
    assert.ok(log.length > 0);
    assert.doesNotMatch(log, /^Error/m);
    const ready = await op("GetBuild", cloud.buildsV3.getBuild(build.buildId));
    assert.equal(ready.status, "succeeded", log);
    assert.ok(ready.finishedAt instanceof Date && ready.imageSize > 0);
    made[name] = build.buildId;
  }
  const image = await op("CreateBuildRegistry", cloud.buildsV3.createBuildRegistry({ buildId: "an-image" }));
  assert.equal(image.buildId, "an-image");
  const config = { image: facts.image };
  const log = await text(await op("RunBuildRegistry", cloud.buildsV3.runBuildRegistry("an-image", config)));
  assert.match(log, /^Error/m);
  assert.equal((await cloud.buildsV3.getBuild("an-image")).status, "failed");
  assert.deepEqual({ ...(await op("DeleteBuild", cloud.buildsV3.deleteBuild("an-image"))) }, {});
  const { builds } = await op("GetBuilds", cloud.buildsV3.getBuilds());
  assert.ok(builds.some((build) => build.buildId === made.bzflag));
  await refused(404, /build/, cloud.buildsV3.getBuild("an-image-that-never-was"));
  return made;
}

async function deployments(appId, made) {
  await refused(404, /./, cloud.deploymentsV3.getLatestDeployment(appId));
  const config = {
    buildId: made.bzflag, containerPort: 5154, transportType: "tcp", requestedCPU: 0.5, requestedMemoryMB: 512,
    roomsPerProcess: 1, idleTimeoutEnabled: true, env: [], deploymentTag: "first",
  };
  const bzflag = await op("CreateDeployment", cloud.deploymentsV3.createDeployment(config, appId));
  assert.equal(bzflag.defaultContainerPort.name, "default");
  const env = [{ name: "WORDS", value: "a=b, c" }];
  const udp = { ...config, buildId: made.teeworlds, containerPort: 8303, transportType: "udp", env, roomsPerProcess: 3 };
  const newest = await cloud.deploymentsV3.createDeployment(
    { ...udp, deploymentTag: "second", experimentalRequestedGPU: 0 }, appId,
  );
  const latest = await op("GetLatestDeployment", cloud.deploymentsV3.getLatestDeployment(appId));
  assert.deepEqual(latest, newest);
  assert.equal((await op("GetDeployment", cloud.deploymentsV3.getDeployment(bzflag.deploymentId, appId))).buildTag, "bzflag-1");
  const page = await op("GetDeployments", cloud.deploymentsV3.getDeployments(appId));
  assert.deepEqual(page.deployments.map((one) => one.deploymentTag), ["second", "first"]);
  const tagged = await cloud.deploymentsV3.getDeployments(appId, "first");
  assert.equal(tagged.deployments.length, 1);
  await refused(422, /containerPort/, cloud.deploymentsV3.createDeployment({ ...config, containerPort: 70000 }, appId));
  assert.equal((await cloud.appsV2.getApps()).applications[0].deployment.build.buildId, made.teeworlds);
  return { bzflag: bzflag.deploymentId, teeworlds: newest.deploymentId };
}

async function discovery() {
  const places = await op("GetPingServiceEndpoints", cloud.discoveryV2.getPingServiceEndpoints());
  assert.ok(places.length > 0);
  const { host, port } = places[0];
  assert.equal((await packet(host, port, Buffer.from("how far?"))).toString(), "how far?");
  for (const path of ["/ws", "/"]) assert.ok((await websocket(host, port, path)).endsWith("ping"));
}

async function rooms(appId, deployed) {
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

  const core = new HathoraCloudCore(options);
  const suspended = await roomsV2SuspendRoomV2Deprecated(core, room.roomId, appId);
  assert.ok(suspended.ok, String(suspended.error));
  walked.add("SuspendRoomV2Deprecated");
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

async function processes(appId, opened) {
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

async function logs(appId, opened) {
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

async function players(appId) {
  const anonymous = await op("LoginAnonymous", cloud.authV1.loginAnonymous(appId));
  const nick = await op("LoginNickname", cloud.authV1.loginNickname({ nickname: "Robin" }, appId));
  const google = await op("LoginGoogle", cloud.authV1.loginGoogle({ idToken: facts.idToken }, appId));
  const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
  assert.equal(claims(anonymous.token).type, "anonymous");
  assert.equal(claims(nick.token).name, "Robin");
  assert.equal(claims(google.token).type, "google");
  await refused(401, /idToken/, cloud.authV1.loginGoogle({ idToken: "no" }, appId));
  const make = (player, visibility, ...rest) =>
    op("CreateLobby", cloud.lobbiesV3.createLobby({ playerAuth: player.token }, { visibility, region: "Chicago", roomConfig: visibility }, appId, ...rest));
  const lobby = await make(nick, "public", "ROBIN");
  assert.equal(lobby.shortCode, "ROBIN");
  const hidden = await make(anonymous, "private", undefined, "hidden-room");
  assert.equal(hidden.roomId, "hidden-room");
  assert.ok(hidden.shortCode.length > 0);
  const local = await make(google, "local");
  const listed = await op("ListActivePublicLobbies", cloud.lobbiesV3.listActivePublicLobbies(appId));
  assert.deepEqual(listed.map((one) => one.roomId), [lobby.roomId]);
  assert.equal((await cloud.lobbiesV3.listActivePublicLobbies(appId, "Tokyo")).length, 0);
  const byCode = await op("GetLobbyInfoByShortCode", cloud.lobbiesV3.getLobbyInfoByShortCode("ROBIN", appId));
  assert.deepEqual(byCode, lobby);
  const byRoom = await op("GetLobbyInfoByRoomId", cloud.lobbiesV3.getLobbyInfoByRoomId("hidden-room", appId));
  assert.equal(byRoom.visibility, "private");
  assert.equal((await cloud.lobbiesV3.getLobbyInfoByRoomId(local.roomId, appId)).visibility, "local");
  const { exposedPort } = await active(appId, lobby.roomId);
  assert.ok((await teeworlds(exposedPort)).includes("inf3"));
  await refused(401, /token/, cloud.lobbiesV3.createLobby({ playerAuth: "a.b.c" }, { visibility: "public", region: "Chicago" }, appId));
  await refused(404, /./, cloud.lobbiesV3.getLobbyInfoByShortCode("NOBODY", appId));
  await cloud.roomsV2.destroyRoom(lobby.roomId, appId);
  assert.equal((await cloud.lobbiesV3.listActivePublicLobbies(appId)).length, 0);
}

await organisation();
const appId = await apps();
const made = await builds();
const deployed = await deployments(appId, made);
await discovery();
const opened = await rooms(appId, deployed);
await processes(appId, opened);
await logs(appId, opened);
await players(appId);
await op("DeleteApp", cloud.appsV2.deleteApp(appId));
await refused(404, /app/, cloud.appsV2.getApp(appId));
say(JSON.stringify([...walked].sort()));
