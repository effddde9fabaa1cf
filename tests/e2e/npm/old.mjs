// The old generations, each beside the new one: what one makes the other sees.
import assert from "node:assert/strict";
import fs from "node:fs";
import { cloud, facts, op, refused, say, text, until } from "./kit.mjs";
import { teeworlds } from "./players.mjs";

const archive = () => fs.readFileSync(facts.archives.bzflag);
const file = () => ({ fileName: "game.tgz", content: new Uint8Array(archive()) });
const ready = async (appId, number) =>
  assert.equal((await cloud.buildsV2.getBuildInfoV2Deprecated(number, appId)).status, "succeeded");

export async function oldApps(logins) {
  const config = { appName: "old", authConfiguration: logins };
  const app = await op("CreateAppV1Deprecated", cloud.appsV1.createAppV1Deprecated(config));
  const changed = { ...config, appName: "older" };
  await op("UpdateAppV1Deprecated", cloud.appsV1.updateAppV1Deprecated(changed, app.appId));
  const info = await op("GetAppInfoV1Deprecated", cloud.appsV1.getAppInfoV1Deprecated(app.appId));
  assert.equal(info.appName, "older");
  assert.deepEqual(await cloud.appsV2.getApp(app.appId), info);
  return app.appId;
}

export async function oldBuilds(appId) {
  const first = await op("CreateBuildDeprecated", cloud.buildsV1.createBuildDeprecated({ buildTag: "v1" }, appId));
  const log = await op("RunBuildDeprecated", cloud.buildsV1.runBuildDeprecated(first.buildId, { file: file() }, appId));
  assert.ok(log.length > 0);
  await ready(appId, first.buildId);
  const told = await op("GetBuildInfoDeprecated", cloud.buildsV1.getBuildInfoDeprecated(first.buildId, appId));
  assert.equal(told.buildTag, "v1");

  const second = await op("CreateBuildV2Deprecated", cloud.buildsV2.createBuildV2Deprecated({}, appId));
  assert.equal(second.buildId, first.buildId + 1);
  const ran = await op("RunBuildV2Deprecated", cloud.buildsV2.runBuildV2Deprecated(second.buildId, { file: file() }, appId));
  assert.ok((await text(ran)).length > 0);
  await ready(appId, second.buildId);

  const linked = await op(
    "CreateBuildWithUploadUrlV2Deprecated", cloud.buildsV2.createBuildWithUploadUrlV2Deprecated({}, appId),
  );
  const form = new FormData(); // as the store's own documentation has it: the fields first, the file at the end
  for (const { key, value } of linked.uploadBodyParams) form.append(key, value);
  form.append("file", new Blob([archive()]), "game.tgz");
  const sent = await fetch(linked.uploadUrl, { method: "POST", body: form });
  assert.equal(sent.status, 204, await sent.text());
  await text(await cloud.buildsV2.runBuildV2Deprecated(linked.buildId, {}, appId));
  await ready(appId, linked.buildId);

  const multipart = await op(
    "CreateWithMultipartUploadsV2Deprecated",
    cloud.buildsV2.createWithMultipartUploadsV2Deprecated({ buildSizeInBytes: 1 << 20 }, appId),
  );
  assert.equal(multipart.uploadParts.length, 1);
  await op("DeleteBuildV2Deprecated", cloud.buildsV2.deleteBuildV2Deprecated(multipart.buildId, appId));
  await op("DeleteBuildDeprecated", cloud.buildsV1.deleteBuildDeprecated(linked.buildId, appId));
  const ids = (builds) => builds.filter((build) => build.appId === appId).map((build) => build.buildId);
  const listed = ids(await op("GetBuildsDeprecated", cloud.buildsV1.getBuildsDeprecated(appId)));
  assert.ok(listed.includes(first.buildId) && !listed.includes(linked.buildId));
  assert.deepEqual(ids(await op("GetBuildsV2Deprecated", cloud.buildsV2.getBuildsV2Deprecated(appId))), listed);
  await op("GetBuildInfoV2Deprecated", cloud.buildsV2.getBuildInfoV2Deprecated(second.buildId, appId));
  return { first: first.buildId, second: second.buildId };
}

export async function oldDeployments(appId, builds, teeworldsBuild) {
  const ports = { containerPort: 8303, transportType: "udp", roomsPerProcess: 2, env: [], idleTimeoutEnabled: true };
  const planned = await op(
    "CreateDeploymentV1Deprecated",
    cloud.deploymentsV1.createDeploymentV1Deprecated(builds.first, { ...ports, planName: "small" }, appId),
  );
  assert.deepEqual([planned.deploymentId, planned.requestedCPU, planned.requestedMemoryMB], [1, 1, 2048]);
  const sized = await op(
    "CreateDeploymentV2Deprecated",
    cloud.deploymentsV2.createDeploymentV2Deprecated(
      builds.second, { ...ports, requestedCPU: 0.5, requestedMemoryMB: 512 }, appId,
    ),
  );
  assert.equal(sized.deploymentId, 2);
  // The newest is one of today's, of the game that players are sent to below.
  await cloud.deploymentsV3.createDeployment(
    { ...ports, buildId: teeworldsBuild, requestedCPU: 0.5, requestedMemoryMB: 512 }, appId,
  );
  const numbers = (deployments) => deployments.map((one) => one.deploymentId).sort();
  const v1 = await op("GetDeploymentsV1Deprecated", cloud.deploymentsV1.getDeploymentsV1Deprecated(appId));
  assert.deepEqual(numbers(v1), [1, 2, 3]);
  const v2 = await op("GetDeploymentsV2Deprecated", cloud.deploymentsV2.getDeploymentsV2Deprecated(appId));
  assert.deepEqual(numbers(v2), [1, 2, 3]);
  const latest = [
    await op("GetLatestDeploymentV1Deprecated", cloud.deploymentsV1.getLatestDeploymentV1Deprecated(appId)),
    await op("GetLatestDeploymentV2Deprecated", cloud.deploymentsV2.getLatestDeploymentV2Deprecated(appId)),
  ];
  assert.deepEqual(numbers(latest), [3, 3]);
  const one = await op("GetDeploymentInfoV1Deprecated", cloud.deploymentsV1.getDeploymentInfoV1Deprecated(1, appId));
  assert.deepEqual(one, planned);
  const two = await op("GetDeploymentInfoV2Deprecated", cloud.deploymentsV2.getDeploymentInfoV2Deprecated(2, appId));
  assert.deepEqual(two, sized);
  await refused(404, /./, cloud.deploymentsV1.getDeploymentInfoV1Deprecated(9, appId));
  const listed = await op("GetAppsV1Deprecated", cloud.appsV1.getAppsV1Deprecated());
  assert.equal(listed.find((app) => app.appId === appId).deployment.deploymentId, 3);
}

export async function oldRooms(appId) {
  const room = await op("CreateRoomDeprecated", cloud.roomsV1.createRoomDeprecated({ region: "Tokyo" }, appId, "old-room"));
  assert.equal(room, "old-room");
  const info = await until("the old room", async () => {
    const found = await op("GetConnectionInfoDeprecated", cloud.roomsV1.getConnectionInfoDeprecated(room, appId));
    return found.status === "active" && found;
  });
  assert.ok((await teeworlds(info)).includes("inf3"));
  say("teeworlds answered a player of the old kind");
  const told = await op("GetRoomInfoDeprecated", cloud.roomsV1.getRoomInfoDeprecated(room, appId));
  const { processId } = told.currentAllocation;
  const here = await op(
    "GetActiveRoomsForProcessDeprecated", cloud.roomsV1.getActiveRoomsForProcessDeprecated(processId, appId),
  );
  assert.deepEqual(here.map((one) => one.roomId), [room]);
  assert.deepEqual((await cloud.roomsV2.getRoomInfo(room, appId)).roomId, room);
  await op("SuspendRoomDeprecated", cloud.roomsV1.suspendRoomDeprecated(room, appId));
  const gone = await op(
    "GetInactiveRoomsForProcessDeprecated", cloud.roomsV1.getInactiveRoomsForProcessDeprecated(processId, appId),
  );
  assert.deepEqual(gone.map((one) => one.status), ["suspended"]);
  await cloud.roomsV1.getConnectionInfoDeprecated(room, appId); // puts it on a server again
  await op("DestroyRoomDeprecated", cloud.roomsV1.destroyRoomDeprecated(room, appId));
  await refused(404, /./, cloud.roomsV1.getConnectionInfoDeprecated(room, appId));
  return processId;
}

export async function oldProcesses(appId, processId) {
  const old = await op("GetProcessInfoDeprecated", cloud.processesV1.getProcessInfoDeprecated(processId, appId));
  assert.deepEqual([old.deploymentId, old.draining, old.roomSlotsAvailable], [3, false, 2]);
  const running = await op("GetRunningProcesses", cloud.processesV1.getRunningProcesses(appId, "Tokyo"));
  assert.deepEqual(running.map((one) => [one.processId, one.totalRooms]), [[processId, 0]]);
  const extra = await op(
    "CreateProcessV2Deprecated", cloud.processesV2.createProcessV2Deprecated("Sydney", appId),
  );
  const info = () => cloud.processesV2.getProcessInfoV2Deprecated(extra.processId, appId);
  await until("the process", async () => (await op("GetProcessInfoV2Deprecated", info())).status === "running");
  const latest = await op(
    "GetLatestProcessesV2Deprecated", cloud.processesV2.getLatestProcessesV2Deprecated(appId, ["running"], ["Sydney"]),
  );
  assert.deepEqual(latest.map((one) => one.processId), [extra.processId]);
  const counted = await op(
    "GetProcessesCountExperimentalV2Deprecated",
    cloud.processesV2.getProcessesCountExperimentalV2Deprecated(appId, ["running"]),
  );
  assert.equal(counted.count, 2);
  await op("StopProcessV2Deprecated", cloud.processesV2.stopProcessV2Deprecated(extra.processId, appId));
  await until("the stop", async () => (await info()).status === "stopped");
  const stopped = await op("GetStoppedProcesses", cloud.processesV1.getStoppedProcesses(appId));
  assert.deepEqual(stopped.map((one) => one.processId), [extra.processId]);
  await until("figures", async () => {
    const request = { appId, processId, metrics: ["cpu", "memory", "rate_egress", "active_connections"], step: 1 };
    const found = await op("GetMetricsDeprecated", cloud.metricsV1.getMetricsDeprecated(request));
    return found.memory.length > 0 && found.memory.at(-1).value > 1 << 20;
  });
}

export async function oldLobbies(appId) {
  const { token } = await cloud.authV1.loginAnonymous(appId);
  const player = { playerAuth: token };
  const { lobbiesV1: v1, lobbiesV2: v2, lobbiesV3: v3 } = cloud;
  const open = await op("CreatePublicLobbyDeprecated", v1.createPublicLobbyDeprecated(player, appId, "Tokyo"));
  const hidden = await op("CreatePrivateLobbyDeprecated", v1.createPrivateLobbyDeprecated(player, appId, "Tokyo"));
  const ids = (lobbies) => lobbies.map((one) => one.roomId).sort();
  const list = () => v1.listActivePublicLobbiesDeprecatedV1(appId, false, "Tokyo");
  assert.deepEqual(ids(await op("ListActivePublicLobbiesDeprecatedV1", list())), [open]);
  assert.equal((await v3.getLobbyInfoByRoomId(hidden, appId)).visibility, "private");

  const wish = { region: "London", initialConfig: { map: "ctf1", bots: [1, 2.5, null] } };
  const made = [
    await op("CreateLobbyDeprecated", v2.createLobbyDeprecated(player, { ...wish, visibility: "public" }, appId, "old-1")),
    await op("CreatePublicLobby", v2.createPublicLobby(player, wish, appId, "old-2")),
    await op("CreatePrivateLobby", v2.createPrivateLobby(player, wish, appId)),
    await op("CreateLocalLobby", v2.createLocalLobby(player, wish, appId)),
  ];
  assert.deepEqual(made.map((lobby) => lobby.visibility), ["public", "public", "private", "local"]);
  assert.deepEqual(made.map((lobby) => lobby.local), [false, false, false, true]);
  assert.deepEqual(made[0].initialConfig, wish.initialConfig);
  const found = await op(
    "ListActivePublicLobbiesDeprecatedV2", v2.listActivePublicLobbiesDeprecatedV2(appId, "London"),
  );
  assert.deepEqual(ids(found), ["old-1", "old-2"]);
  assert.deepEqual(ids(await v3.listActivePublicLobbies(appId)), [open, "old-1", "old-2"].sort());
  const state = { players: ["Robin"], open: true };
  const set = await op("SetLobbyState", v2.setLobbyState("old-1", { state }, appId));
  assert.deepEqual(set.state, state);
  assert.deepEqual((await op("GetLobbyInfo", v2.getLobbyInfo("old-1", appId))).state, state);
  assert.deepEqual(JSON.parse((await v3.getLobbyInfoByRoomId("old-1", appId)).roomConfig), wish.initialConfig);
  await refused(401, /token/, v1.createPublicLobbyDeprecated({ playerAuth: "a.b.c" }, appId, "Tokyo"));
  for (const roomId of [open, hidden, ...ids(made.slice(0, 3))]) await cloud.roomsV2.destroyRoom(roomId, appId);
}

export async function oldEnd(appId) {
  const places = await op("GetPingServiceEndpointsDeprecated", cloud.discoveryV1.getPingServiceEndpointsDeprecated());
  assert.ok(places.length > 0 && places.every((place) => place.region !== "Dallas"));
  await op("DeleteAppV1Deprecated", cloud.appsV1.deleteAppV1Deprecated(appId));
  await refused(404, /./, cloud.appsV2.getApp(appId));
}
