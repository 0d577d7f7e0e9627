/** The picture behind the regions: loaded when its address changes, and the size that the regions are fractions of. */

/**
 * Keep a store's picture and size in step with `host`: host.address(kind) is where the picture "input" or "result"
 * is, host.size() the node's { width, height }. Returns look(), to be called when any of that may have changed.
 */
export function createBackdrop(store, host) {
  let loaded = null; // { address, picture }
  let sized = null; // the connected picture, which sets the size whatever is shown

  function load(address, then) {
    const picture = new Image();
    picture.onload = () => then(picture);
    picture.onerror = () => then(null);
    picture.src = address;
  }

  function look() {
    const { background } = store.state;
    const address = background === "none" ? null : host.address(background);
    if (address !== (loaded?.address ?? null)) {
      loaded = address ? { address, picture: null } : null;
      if (address) load(address, (picture) => {
        if (loaded?.address === address) loaded.picture = picture, show();
      });
    }
    const connected = host.address("input");
    if (connected !== (sized?.address ?? null)) {
      sized = connected ? { address: connected, picture: null } : null;
      if (connected) load(connected, (picture) => {
        if (sized?.address === connected) sized.picture = picture, show();
      });
    }
    show();
  }

  function show() {
    const own = host.size();
    const width = sized?.picture?.naturalWidth || own.width || store.state.width;
    const height = sized?.picture?.naturalHeight || own.height || store.state.height;
    const picture = loaded?.picture ?? null;
    const { state } = store;
    if (picture !== state.picture || width !== state.width || height !== state.height) store.set({ picture, width, height });
  }

  let background = store.state.background;
  store.subscribe((state) => {
    if (state.background === background) return;
    background = state.background;
    host.chosen(background);
    look();
  });
  return look;
}
