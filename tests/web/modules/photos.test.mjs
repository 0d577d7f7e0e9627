// Pictures that are dropped or pasted: what is taken, what is left to others, and how the file is called.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";

import { endingOf, mayBringPicture, picturesIn } from "../../../web/photos/incoming.mjs";
import { sha256, sha256OwnWay } from "../../../web/photos/sha256.mjs";
import { filesOf, keepPicture } from "../../../web/photos/upload.mjs";

const HERE = "http://here:8188";
const transfer = (data, files = []) => ({
  types: [...Object.keys(data), ...(files.length ? ["Files"] : [])],
  files,
  getData: (kind) => data[kind] ?? "",
});

test("our hash is SHA-256 at every length around a block", async () => {
  for (const length of [0, 1, 55, 56, 63, 64, 65, 119, 120, 1000]) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 31) % 256);
    const wanted = createHash("sha256").update(bytes).digest("hex");
    assert.equal(sha256OwnWay(bytes), wanted, `${length} bytes`);
    assert.equal(await sha256(bytes), wanted);
  }
});

test("picture files are taken, other files are not", () => {
  const files = [{ name: "a.png", type: "image/png" }, { name: "b.json", type: "application/json" }, { name: "c.JPEG", type: "" }];
  assert.deepEqual(picturesIn(transfer({}, files), HERE).files.map(({ name }) => name), ["a.png", "c.JPEG"]);
  assert.equal(endingOf(files[2]), "jpg");
});

test("an asset goes by its name, a picture of this page by its address, one of another server not at all", () => {
  const asset = JSON.stringify({ filename: "x y.png", subfolder: "s", type: "output" });
  assert.deepEqual(picturesIn(transfer({ "application/x-comfy-asset-info": asset, "text/uri-list": "x" }), HERE).addresses, ["/view?filename=x+y.png&subfolder=s&type=output"]);
  assert.deepEqual(picturesIn(transfer({ "text/uri-list": `${HERE}/api/view?filename=a.png` }), HERE).addresses, [`${HERE}/api/view?filename=a.png`]);
  assert.deepEqual(picturesIn(transfer({ "text/uri-list": "http://elsewhere/a.png\r\njavascript:alert(1)" }), HERE).addresses, []);
  assert.deepEqual(picturesIn(transfer({ "application/x-comfy-asset-info": "{" }), HERE).addresses, []);
});

test("a node dragged out of the library is nobody's picture", () => {
  assert.ok(mayBringPicture(transfer({}, [{ name: "a.png" }])));
  assert.ok(!mayBringPicture(transfer({ "application/x-comfy-node": "{}", "text/uri-list": "" })));
  assert.ok(!mayBringPicture(transfer({ "text/plain": "hello" })));
});

test("a file is called by what it shows, and the server's word on its name counts", async () => {
  const sent = [];
  const post = async (path, { body }) => {
    sent.push([path, body.get("image").name, body.get("subfolder"), body.get("overwrite")]);
    return { status: 200, json: async () => ({ name: body.get("image").name, subfolder: "troupe", type: "input" }) };
  };
  const picture = new File([new Uint8Array([1, 2, 3])], "Mum at the lake.JPG", { type: "image/jpeg" });
  const kept = await keepPicture(picture, post);
  const hash = createHash("sha256").update(new Uint8Array([1, 2, 3])).digest("hex");
  assert.deepEqual(kept, { file: `troupe/${hash}.jpg`, name: "Mum at the lake.JPG" });
  assert.deepEqual(sent, [["/upload/image", `${hash}.jpg`, "troupe", null]]);
});

test("what cannot be kept says why", async () => {
  const refuse = async () => ({ status: 413, statusText: "Too Large" });
  await assert.rejects(keepPicture(new File(["x"], "a.png", { type: "image/png" }), refuse), /refused 'a.png' \(413/);
  await assert.rejects(keepPicture(new File(["x"], "a.txt", { type: "text/plain" }), refuse), /'a.txt' is no picture/);
  await assert.rejects(filesOf({ files: [], addresses: ["/view?filename=a.png"] }, async () => ({ ok: false, status: 404 })), /gone \(404\)/);
});
