"use strict";
for (const traversal of document.querySelectorAll(".traversal")) {
  const values = traversal.dataset.values.split(" ").map(Number);
  const last = values.length - 1;
  const cards = [...traversal.querySelectorAll(".dimension")];
  const play = traversal.querySelector(".play");
  let start = 0, timer = 0;

  const text = (value) => value.toFixed(2).replace("-", "\u2212");
  const show = (card, frame) => {
    const slider = card.querySelector("input");
    slider.value = frame;
    card.style.setProperty("--x", frame);
    slider.setAttribute("aria-valuetext", text(values[frame]));
    card.querySelector("output").value = text(values[frame]);
    card.querySelector(".view").setAttribute("aria-label", `image at ${card.dataset.label} = ${text(values[frame])}`);
  };
  const position = (value) => (value - values[0]) / (values[last] - values[0]) * last;
  const clamp = (frame) => Math.min(last, Math.max(0, frame));
  const reset = () => {
    traversal.style.setProperty("--y", start);
    for (const card of cards) {
      const own = position(Number(card.dataset.own.split(" ")[start]));
      card.style.setProperty("--own", clamp(own));
      show(card, Math.round(clamp(own)));
    }
  };
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    play.setAttribute("aria-pressed", "false");
  };

  for (const card of cards) {
    const slider = card.querySelector("input");
    slider.addEventListener("input", () => { stop(); show(card, Number(slider.value)); });
  }
  for (const radio of traversal.querySelectorAll("input[type=radio]")) {
    radio.addEventListener("change", () => { stop(); start = Number(radio.value); reset(); });
  }
  traversal.querySelector(".reset").addEventListener("click", () => { stop(); reset(); });
  play.addEventListener("click", () => {
    if (timer) return stop();
    let tick = 0;
    play.setAttribute("aria-pressed", "true");
    timer = setInterval(() => {
      tick = (tick + 1) % (2 * last);
      for (const card of cards) show(card, last - Math.abs(last - tick));
    }, 90);
  });
}

for (const chart of document.querySelectorAll(".chart")) {
  const svg = chart.querySelector("svg"), cross = chart.querySelector(".cross");
  const reading = chart.querySelector(".reading"), usual = reading.innerHTML;
  const { left, right, end } = chart.dataset;
  const lines = [...chart.querySelectorAll("polyline")].map((line) => ({
    run: line.getAttribute("class"),
    points: line.dataset.points.split(" ").map((pair) => pair.split(",").map(Number)),
  }));
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width * svg.viewBox.baseVal.width;
    const step = (x - left) / (right - left) * end;
    const near = lines.map(({ points }) => points.reduce((a, b) => Math.abs(b[0] - step) < Math.abs(a[0] - step) ? b : a));
    const place = Number(left) + (right - left) * near[0][0] / end;
    cross.setAttribute("x1", place);
    cross.setAttribute("x2", place);
    cross.setAttribute("visibility", "visible");
    reading.replaceChildren(...near.map((point, i) => {
      const value = document.createElement("span");
      value.className = lines[i].run;
      value.textContent = `${Number(point[1].toPrecision(4))} `;
      return value;
    }), `at ${Math.round(near[0][0]).toLocaleString("en")}`);
  });
  svg.addEventListener("pointerleave", () => {
    cross.setAttribute("visibility", "hidden");
    reading.innerHTML = usual;
  });
}
