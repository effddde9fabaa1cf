// Organisations, people and tokens.
import assert from "node:assert/strict";
import { HathoraCloud } from "@hathora/cloud-sdk-typescript";
import { cloud, facts, op, orgId, refused, url } from "./kit.mjs";

export async function organisation() {
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
