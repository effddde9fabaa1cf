// Players: how they log in, and the lobbies they make.
import assert from "node:assert/strict";
import { active, cloud, facts, op, refused } from "./kit.mjs";
import { teeworlds } from "./players.mjs";

export async function players(appId) {
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
