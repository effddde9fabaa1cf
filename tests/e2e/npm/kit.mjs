// What every part of the walk stands on: the facts, the vendor's client, and the count of what was answered.
import assert from "node:assert/strict";
import fs from "node:fs";
import { HathoraCloud } from "@hathora/cloud-sdk-typescript";
import { ApiError } from "@hathora/cloud-sdk-typescript/models/errors/apierror.js";

export const facts = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
export const { url, token, orgId } = facts;
export const cloud = new HathoraCloud({ serverURL: url, hathoraDevToken: token, orgId });
export const walked = new Set();
export const say = (...words) => console.log(...words);

/** Note that an operation was answered as the SDK expects. */
export async function op(name, answer) {
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
export async function refused(status, words, call) {
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

export async function until(what, condition, seconds = 30) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = await condition();
    if (found) return found;
    assert.ok(Date.now() < end, `${what} did not come true`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export async function text(stream) {
  let all = "";
  const decoder = new TextDecoder();
  for await (const piece of stream) all += decoder.decode(piece, { stream: true });
  return all;
}

/** Upload as the vendor's CLI does: parts at the same time, ETags, the list of them, without credentials. */
export async function upload(name, build, archive) {
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

export const active = (appId, roomId) =>
  until(`room ${roomId}`, async () => {
    const info = await op("GetConnectionInfo", cloud.roomsV2.getConnectionInfo(roomId, appId));
    return info.status === "active" && info;
  });
