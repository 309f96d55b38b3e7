// The chart of accuracy against speed.
const board = $("#balance .board");
if (board) {
  const all = JSON.parse(board.dataset.points);
  const [svg, tag, reading] = [$("svg", board), $(".tag", board), $("#balance output")];
  const [machine, size, precision] = ["machine", "size", "precision"].map((id) => $(`#${id}`));
  const MARKS = {
    fp32: "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z",
    fp16: "M0 -5.5L5.5 4.5H-5.5z",
    bf16: "M-4.5 -4.5H4.5V4.5H-4.5z",
    int8: "M0 -6L6 0L0 6L-6 0z",
  };
  const HEIGHT = 420;
  const BOX = { left: 56, right: 24, top: 20, bottom: 48 };
  const add = (parent, name, attributes, text) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    parent.append(made);
    return made;
  };
  const offer = (select, values, first) => {
    const kept = values.includes(select.value) ? select.value : first;
    select.replaceChildren(...values.map((value) => new Option(value, value, false, value === kept)));
  };
  const of = (rows, key) => [...new Set(rows.map((row) => row[key]))];
  const say = (one) =>
    `${one.network}, ${one.size}, ${one.precision} (${one.runtime}): ${one.ms.toFixed(1)} ms, ` +
    `${one.fps.toFixed(1)} frames per second, ${one.miou.toFixed(2)} % mIoU` +
    (one.scored ? "" : "; scored in fp32, and other labels here");

  // Values from low to high with round steps; in a logarithm, 1, 2 and 5 of each ten.
  const ticks = (low, high, log) => {
    const found = [];
    if (log) {
      for (let ten = 10 ** Math.floor(Math.log10(low)); ten <= high; ten *= 10)
        for (const step of [1, 2, 5]) found.push(step * ten);
    } else {
      const rough = (high - low) / 8;
      const ten = 10 ** Math.floor(Math.log10(rough));
      const step = [1, 2, 5, 10].find((each) => each * ten >= rough) * ten;
      for (let at = Math.ceil(low / step); at * step <= high; at += 1) found.push(at * step);
    }
    return found.filter((value) => value >= low && value <= high).map((value) => Number(value.toPrecision(6)));
  };
  const scale = (values, least, from, to, log) => {
    const f = log ? Math.log10 : (value) => value;
    const back = log ? (value) => 10 ** value : f;
    let [low, high] = [f(Math.min(...values)), f(Math.max(...values))];
    const room = Math.max(0.12 * (high - low), least);
    [low, high] = [low - room, high + room];
    const place = (value) => from + ((f(value) - low) / (high - low)) * (to - from);
    return { place, ticks: ticks(back(low), back(high), log) };
  };
  // From slow to fast, those that no other beats in both.
  const front = (rows) => {
    const best = [];
    for (const one of rows.filter((row) => row.scored).sort((a, b) => b.fps - a.fps || b.miou - a.miou))
      if (!best.length || one.miou > best.at(-1).miou) best.push(one);
    return best.reverse();
  };

  let dots = [];
  const read = (index, moved) => {
    const { one, x, y, mark } = dots[index];
    dots.forEach((dot, other) => dot.mark.setAttribute("tabindex", other === index ? 0 : -1));
    for (const dot of dots) dot.mark.classList.toggle("read", dot.mark === mark);
    reading.textContent = say(one);
    tag.textContent = `${one.network}, ${one.precision}: ${one.ms.toFixed(1)} ms, ${one.miou.toFixed(2)} %`;
    tag.style.left = `${Math.min(Math.max(x, 110), board.clientWidth - 110)}px`;
    tag.style.top = `${y}px`;
    tag.classList.toggle("below", y < 60);
    tag.hidden = false;
    if (moved) mark.focus();
  };

  const draw = () => {
    const width = Math.max(board.clientWidth, 280);
    const rows = all
      .filter((row) => row.device === machine.value && row.size === size.value)
      .filter((row) => precision.value === "all" || row.precision === precision.value)
      .sort((a, b) => a.fps - b.fps);
    svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    svg.replaceChildren();
    tag.hidden = true;
    const rates = rows.map((row) => row.fps);
    const log = Math.max(...rates) > 3 * Math.min(...rates);
    const x = scale(rates, log ? 0.08 : 0.1 * Math.max(...rates), BOX.left, width - BOX.right, log);
    const y = scale(rows.map((row) => row.miou), 0.5, HEIGHT - BOX.bottom, BOX.top);
    const [bottom, right] = [HEIGHT - BOX.bottom, width - BOX.right];
    for (const value of x.ticks) {
      add(svg, "path", { class: "grid", d: `M${x.place(value)} ${BOX.top}V${bottom}` });
      add(svg, "text", { x: x.place(value), y: bottom + 18, "text-anchor": "middle" }, value);
    }
    for (const value of y.ticks) {
      add(svg, "path", { class: "grid", d: `M${BOX.left} ${y.place(value)}H${right}` });
      add(svg, "text", { x: BOX.left - 8, y: y.place(value) + 4, "text-anchor": "end" }, value);
    }
    add(svg, "text", { x: (BOX.left + right) / 2, y: HEIGHT - 8, "text-anchor": "middle" }, "frames per second");
    add(svg, "text", { x: 4, y: 13 }, "mIoU (%)");
    const path = front(rows).map((one, index) =>
      index ? `V${y.place(one.miou)}H${x.place(one.fps)}` : `M${x.place(one.fps)} ${y.place(one.miou)}`
    );
    add(svg, "path", { class: "front", d: path.join("") || "M0 0" });
    for (const one of rows.filter((row) => row.plain))
      for (const other of rows)
        if (!other.plain && other.backbone === one.backbone && other.precision === one.precision)
          add(svg, "path", {
            class: "move",
            stroke: other.color,
            "marker-end": "url(#head)",
            d: `M${x.place(one.fps)} ${y.place(one.miou)}L${x.place(other.fps)} ${y.place(other.miou)}`,
          });
    const head = add(add(svg, "defs", {}), "marker", {
      id: "head", viewBox: "0 0 8 8", refX: 13, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto",
    });
    add(head, "path", { d: "M0 0L8 4L0 8z", class: "head" });

    const taken = rows.map((one) => [x.place(one.fps) - 7, y.place(one.miou) - 7, 14, 14]);
    const apart = (a) => taken.every((b) => a[0] + a[2] < b[0] || b[0] + b[2] < a[0] || a[1] + a[3] < b[1] || b[1] + b[3] < a[1]);
    const AROUND = [[9, -6], [-9, -6], [0, -22], [0, 9], [9, -20], [9, 8], [-9, 8], [-9, -20], [9, -34], [-9, -34], [9, 22], [-9, 22]];
    for (const name of of(rows, "backbone")) {
      const label = add(svg, "text", {}, name);
      const wide = label.getComputedTextLength();
      const plainFirst = rows.filter((row) => row.backbone === name).sort((a, b) => b.plain - a.plain);
      const free = plainFirst
        .flatMap((one) =>
          AROUND.map(([dx, dy]) => [
            x.place(one.fps) + dx - wide * (dx < 0 ? 1 : dx ? 0 : 0.5), y.place(one.miou) + dy - 1, wide, 15,
          ])
        )
        .find((box) => box[0] > BOX.left && box[0] + wide < width && apart(box));
      // Where nothing is free, the name is there to be read at the point itself.
      if (!free) label.remove();
      else {
        label.setAttribute("x", free[0]);
        label.setAttribute("y", free[1] + 11);
        taken.push(free);
      }
    }
    dots = rows.map((one, index) => {
      const at = { x: x.place(one.fps), y: y.place(one.miou) };
      const mark = add(svg, "path", {
        class: one.scored ? "dot" : "dot pale",
        d: MARKS[one.precision] ?? MARKS.fp32,
        transform: `translate(${at.x} ${at.y})`,
        fill: one.plain ? "var(--card)" : one.color,
        stroke: one.plain ? "currentColor" : one.color,
        tabindex: index ? -1 : 0,
        role: "img",
        "aria-label": say(one),
      });
      mark.addEventListener("pointerenter", () => read(index));
      mark.addEventListener("focus", () => read(index));
      return { one, mark, ...at };
    });
    reading.textContent = "Point at a network, or reach it with the Tab and the arrow keys, to read it.";
  };
  svg.addEventListener("keydown", (event) => {
    const now = dots.findIndex((dot) => dot.mark === document.activeElement);
    const last = dots.length - 1;
    const next = {
      ArrowRight: now + 1, ArrowUp: now + 1, ArrowLeft: now - 1, ArrowDown: now - 1, Home: 0, End: last,
    }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    read(Math.min(Math.max(next, 0), last), true);
  });
  svg.addEventListener("pointerleave", () => (tag.hidden = !svg.contains(document.activeElement)));
  const choose = () => {
    const here = all.filter((row) => row.device === machine.value);
    offer(size, of(here, "size"), here[0].size);
    const there = here.filter((row) => row.size === size.value);
    offer(precision, ["all", ...of(there, "precision")], "all");
    draw();
  };
  offer(machine, of(all, "device"), all[0].device);
  for (const select of [machine, size, precision]) select.addEventListener("change", choose);
  $("#balance .live").hidden = false;
  choose();
  let drawn = board.clientWidth;
  new ResizeObserver(() => {
    if (board.clientWidth === drawn) return;
    drawn = board.clientWidth;
    draw();
  }).observe(board);
}
