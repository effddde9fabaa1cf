// Apps, builds and deployments of today.
import assert from "node:assert/strict";
import fs from "node:fs";
import { HathoraCloud } from "@hathora/cloud-sdk-typescript";
import { cloud, facts, op, refused, text, upload, url } from "./kit.mjs";

export async function apps() {
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

export async function builds() {
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

export async function deployments(appId, made) {
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
