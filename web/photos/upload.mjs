/** Pictures into ComfyUI's folder `input`, as Load Image puts them there, named after what they show. */

import { endingOf, isPicture, nameIn } from "./incoming.mjs";
import { sha256 } from "./sha256.mjs";

export const FOLDER = "troupe"; // inside of input
export const MOST_BYTES = 100 * 2 ** 20;

/**
 * Keep a picture file: { file, name }, `file` as Load Image names it ("troupe/<hash>.jpg"), `name` as the user
 * knows it. The same picture is one file, and nobody's is written over. `post(path, options)` is the server's.
 * Throws an Error that says what was found.
 */
export async function keepPicture(picture, post) {
  if (!isPicture(picture)) throw new Error(`'${picture.name}' is no picture (${picture.type || "of an unknown kind"})`);
  if (picture.size > MOST_BYTES) throw new Error(`'${picture.name}' has more than ${MOST_BYTES / 2 ** 20} MB`);
  const own = `${await sha256(new Uint8Array(await picture.arrayBuffer()))}.${endingOf(picture)}`;
  const body = new FormData();
  body.append("image", new File([picture], own, { type: picture.type }));
  body.append("type", "input");
  body.append("subfolder", FOLDER);
  const answer = await post("/upload/image", { method: "POST", body });
  if (answer.status !== 200) throw new Error(`the server refused '${picture.name}' (${answer.status} ${answer.statusText})`);
  const { name, subfolder } = await answer.json();
  return { file: subfolder ? `${subfolder}/${name}` : name, name: picture.name };
}

/** The files of picturesIn's answer, those at addresses fetched. `get(address)` is the page's fetch. */
export async function filesOf({ files, addresses }, get) {
  const fetched = await Promise.all(addresses.map(async (address) => {
    const answer = await get(address);
    if (!answer.ok) throw new Error(`the picture at ${address} is gone (${answer.status})`);
    const blob = await answer.blob();
    return new File([blob], nameIn(address) || "picture", { type: blob.type });
  }));
  return [...files, ...fetched.filter(isPicture)];
}
