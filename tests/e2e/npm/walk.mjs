// A whole life through the Hathora Cloud API, by the vendor's own SDK, which parses every answer strictly.
//
//   node walk.mjs FACTS.json
//
// FACTS has url, token, orgId, owner (whose token it is), otherOrgs (two that invited us), idToken (Google's) and
// googleClient, archives (teeworlds of several parts, bzflag), image (one that cannot be had), nodeIds (its machines).
// Prints, as its last line, the ids of the operations that were answered.
import { apps, builds, deployments } from "./apps.mjs";
import { bills, fleets, mails } from "./house.mjs";
import { cloud, facts, op, refused, say, walked } from "./kit.mjs";
import { players } from "./lobbies.mjs";
import * as old from "./old.mjs";
import { organisation } from "./organisation.mjs";
import { discovery, logs, processes, rooms } from "./rooms.mjs";

await organisation();
await mails();
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

const oldApp = await old.oldApps({ anonymous: {}, google: { clientId: facts.googleClient } });
const oldBuilds = await old.oldBuilds(oldApp);
await old.oldDeployments(oldApp, oldBuilds, made.teeworlds);
const processId = await old.oldRooms(oldApp);
await old.oldProcesses(oldApp, processId);
await bills(); // while a server runs: what there is to pay grows
await old.oldLobbies(oldApp);
await old.oldEnd(oldApp);

await fleets();
say(JSON.stringify([...walked].sort()));
