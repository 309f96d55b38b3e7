"use strict";

const IGNORED = 255;
const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

// Theme: the system's, until the reader chooses one.
const root = document.documentElement;
const themeButton = $("#theme");
const dark = () =>
  root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
const showTheme = () => themeButton.setAttribute("aria-pressed", String(dark()));
themeButton.addEventListener("click", () => {
  root.dataset.theme = dark() ? "light" : "dark";
  showTheme();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showTheme);
showTheme();

// Tables: a heading sorts by its column; figures from the highest, text from A; missing ones last.
const MISSING = "\u2013";
const sortKey = (cell) => {
  const text = cell.textContent.trim();
  if (!cell.classList.contains("number") || text === MISSING) return text;
  // The figure stands first in its cell, before its deviation and its interval.
  return parseFloat(text.replace("[", "").replace("\u2212", "-").replaceAll(",", ""));
};
const compare = (a, b) =>
  typeof a === "number" && typeof b === "number"
    ? a - b
    : String(a).localeCompare(String(b), "en", { numeric: true });
for (const table of $$("table")) {
  const heads = $$("thead th", table);
  heads.forEach((head, index) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    head.scope = "col";
    const first = table.tBodies[0].rows[0].cells[index];
    head.classList.toggle("number", first.classList.contains("number"));
    button.addEventListener("click", () => {
      const now = head.getAttribute("aria-sort");
      const usual = head.classList.contains("number") ? "descending" : "ascending";
      const order = now === null ? usual : now === "ascending" ? "descending" : "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", order);
      const sign = order === "ascending" ? 1 : -1;
      const body = table.tBodies[0];
      const missing = (key) => key === MISSING;
      const keyed = [...body.rows].map((row) => [sortKey(row.cells[index]), row]);
      keyed.sort(([a], [b]) => missing(a) - missing(b) || (missing(a) ? 0 : sign * compare(a, b)));
      body.append(...keyed.map(([, row]) => row));
    });
  });
}

// A shadow says that a table goes on to the right.
for (const box of $$(".scroll")) {
  const mark = () =>
    box.classList.toggle("more", box.scrollWidth - box.clientWidth - box.scrollLeft > 2);
  box.addEventListener("scroll", mark, { passive: true });
  new ResizeObserver(mark).observe(box);
}

// The viewer.
const classButtons = $$("#legend [data-class]");
const names = classButtons.map((button) => button.textContent.trim());
const colors = classButtons.map((button) => rgb(button.dataset.color));
const shown = new Array(256).fill(true);
const errorColors = $$("#error-key li").map((item) => rgb(item.dataset.color));
const nameOf = (id) => (id === IGNORED ? "not scored" : names[id] ?? `class ${id}`);

const unpack = async (text) => {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
};

// What happened to a pixel, as its index in the key of errors: wrong, corrected, broken, not scored.
const eventOf = ({ truth, coarse, prediction }, pixel) => {
  const last = errorColors.length - 1;
  if (truth[pixel] === IGNORED) return last;
  const right = prediction[pixel] === truth[pixel];
  if (!coarse) return right ? -1 : 0;
  const wasRight = coarse[pixel] === truth[pixel];
  if (right === wasRight) return right ? -1 : 0;
  return right ? 1 : 2;
};

const paint = (canvas, view, layer, opacity) => {
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  const pixels = image.data;
  const alpha = Math.round(255 * opacity);
  const ids = view.maps[layer];
  for (let pixel = 0, at = 0; layer !== "photo" && at < pixels.length; pixel += 1, at += 4) {
    let color;
    if (layer === "errors") {
      const event = shown[view.maps.truth[pixel]] ? eventOf(view.maps, pixel) : -1;
      color = event < 0 ? [0, 0, 0] : errorColors[event];
      pixels[at + 3] = event < 0 ? alpha * 0.8 : 255;
    } else {
      color = colors[ids[pixel]] ?? [0, 0, 0];
      pixels[at + 3] = shown[ids[pixel]] ? alpha : 0;
    }
    [pixels[at], pixels[at + 1], pixels[at + 2]] = color;
  }
  context.putImageData(image, 0, 0);
};

const label = (layer) => $(`#left option[value="${layer}"]`).textContent;

const start = async (figure) => {
  const stage = $(".stage", figure);
  const [width, height] = [Number(figure.dataset.width), Number(figure.dataset.height)];
  const view = { maps: {} };
  for (const name of ["truth", "coarse", "prediction"])
    if (figure.dataset[name]) view.maps[name] = await unpack(figure.dataset[name]);

  const slider = $(".cut", figure);
  const move = () => {
    stage.style.setProperty("--cut", `${slider.value}%`);
    slider.setAttribute("aria-valuetext", `${slider.value} percent ${label($("#left").value)}`);
  };
  slider.addEventListener("input", move);
  move();

  const [point, tag, reading] = [$(".point", figure), $(".tag", figure), $("output", figure)];
  const position = { x: width >> 1, y: height >> 1 };
  const read = (x, y, marked) => {
    position.x = Math.min(Math.max(x, 0), width - 1);
    position.y = Math.min(Math.max(y, 0), height - 1);
    const pixel = position.y * width + position.x;
    const across = (100 * (position.x + 0.5)) / width;
    const side = across < Number(slider.value) ? "left" : "right";
    const layer = $(`#${side}`).value;
    const ids = view.maps[layer] ?? view.maps.truth;
    tag.textContent = nameOf(ids[pixel]);
    for (const mark of [tag, point]) {
      mark.style.left = `${mark === tag ? Math.min(Math.max(across, 15), 85) : across}%`;
      mark.style.top = `${(100 * (position.y + 0.5)) / height}%`;
    }
    tag.classList.toggle("below", position.y < height / 5);
    tag.hidden = false;
    point.hidden = !marked;
    const parts = Object.entries(view.maps).map(([name, map]) => `${label(name)}: ${nameOf(map[pixel])}`);
    reading.textContent = `x ${position.x}, y ${position.y}: ${parts.join(", ")}`;
  };
  const locate = (event) => {
    const box = stage.getBoundingClientRect();
    return [
      Math.floor(((event.clientX - box.left) / box.width) * width),
      Math.floor(((event.clientY - box.top) / box.height) * height),
    ];
  };
  stage.addEventListener("pointermove", (event) => read(...locate(event), event.pointerType !== "mouse"));
  stage.addEventListener("pointerdown", (event) => read(...locate(event), true));
  stage.addEventListener("pointerleave", (event) => {
    if (event.pointerType === "mouse") tag.hidden = true;
  });
  stage.addEventListener("keydown", (event) => {
    const step = event.shiftKey ? 1 : Math.max(1, Math.round(width / 60));
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [];
    if (dx === undefined) return;
    event.preventDefault();
    read(position.x + dx * step, position.y + dy * step, true);
  });

  return () => {
    for (const side of ["left", "right"]) {
      const layer = $(`#${side}`).value;
      paint($(`canvas.${side}`, figure), view, layer, Number($("#opacity").value) / 100);
      $(`.side.${side}`, figure).textContent = label(layer);
    }
    move();
    figure.dataset.ready = "true";
  };
};

const redraws = [];
const redraw = () => {
  for (const draw of redraws) draw();
  $("#error-key").hidden = ![$("#left").value, $("#right").value].includes("errors");
};
const toggle = (button, on) => {
  button.setAttribute("aria-pressed", String(on));
  shown[Number(button.dataset.class)] = on;
};
const views = $$(".view");
if (views.length) {
  for (const button of classButtons)
    button.addEventListener("click", () => {
      toggle(button, button.getAttribute("aria-pressed") === "false");
      redraw();
    });
  for (const id of ["all", "none"])
    $(`#${id}`).addEventListener("click", () => {
      for (const button of classButtons) toggle(button, id === "all");
      redraw();
    });
  for (const selector of ["#left", "#right"]) $(selector).addEventListener("change", redraw);
  $("#opacity").addEventListener("input", redraw);
  for (const figure of views)
    start(figure).then((draw) => {
      redraws.push(draw);
      draw();
    });
}
