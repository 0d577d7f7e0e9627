/** Pictures that somebody drops or pastes: files from disk or clipboard, pictures of nodes, assets of the side bar. */

export const KINDS = { "image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/gif": "gif", "image/bmp": "bmp", "image/avif": "avif" };
const ASSET = "application/x-comfy-asset-info";
const NAMES_A_PICTURE = /\.(png|jpe?g|webp|gif|bmp|avif)$/i;

/** Whether a drag may bring a picture: while it hovers, only the kinds of its data can be read. */
export function mayBringPicture(transfer) {
  const types = [...(transfer?.types ?? [])];
  return types.includes("Files") || types.includes(ASSET) || (types.includes("text/uri-list") && !types.includes("application/x-comfy-node"));
}

/**
 * The pictures of a drop or a paste, to be called before anything is waited for: { files, addresses }.
 * files     : File objects that are pictures
 * addresses : paths of this server where pictures lie; of other servers none is taken
 */
export function picturesIn(transfer, origin) {
  const files = [...(transfer?.files ?? [])].filter(isPicture);
  if (files.length) return { files, addresses: [] };
  const asset = assetIn(transfer?.getData?.(ASSET));
  if (asset) return { files, addresses: [asset] };
  const uris = (transfer?.getData?.("text/uri-list") ?? "").split(/\r?\n/).filter((line) => line && !line.startsWith("#"));
  return { files, addresses: uris.map((uri) => ownAddress(uri, origin)).filter(Boolean) };
}

/** Whether a file is a picture that ComfyUI can read, by its type or, where the system gives none, by its name. */
export function isPicture({ type, name }) {
  return type ? type in KINDS : NAMES_A_PICTURE.test(name ?? "");
}

/** What a picture's file ends in. */
export function endingOf({ type, name }) {
  return KINDS[type] ?? NAMES_A_PICTURE.exec(name ?? "")?.[1].toLowerCase().replace("jpeg", "jpg") ?? "png";
}

function assetIn(text) {
  let found;
  try {
    found = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof found?.filename !== "string" || !NAMES_A_PICTURE.test(found.filename)) return null;
  const { filename, subfolder = "", type = "output" } = found;
  return `/view?${new URLSearchParams({ filename, subfolder, type })}`;
}

function ownAddress(uri, origin) {
  try {
    const address = new URL(uri, origin);
    return address.origin === new URL(origin).origin ? address.href : null;
  } catch {
    return null;
  }
}

/** The name that an address of the server's gives its picture. */
export function nameIn(address) {
  return new URL(address, "http://here").searchParams.get("filename") ?? "";
}
