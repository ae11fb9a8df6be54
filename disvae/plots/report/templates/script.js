"use strict";
for (const traversal of document.querySelectorAll(".traversal")) {
  const cards = [...traversal.querySelectorAll(".dimension")];
  const values = new Map(cards.map((card) => [card, card.dataset.values.split(" ").map(Number)]));
  const last = values.get(cards[0]).length - 1;
  const play = traversal.querySelector(".play");
  let start = 0, timer = 0;

  const show = (card, frame) => {
    const slider = card.querySelector("input");
    const text = values.get(card)[frame].toFixed(card.dataset.digits).replace("-", "\u2212");
    slider.value = frame;
    card.style.setProperty("--x", frame);
    slider.setAttribute("aria-valuetext", text);
    card.querySelector("output").value = text;
    card.querySelector(".view").setAttribute("aria-label", `image at ${card.dataset.label} = ${text}`);
  };
  const position = (card, value) => {
    const [first, end] = [values.get(card)[0], values.get(card)[last]];
    return (value - first) / (end - first) * last;
  };
  const nearest = (card, value) => {
    const distances = values.get(card).map((each) => Math.abs(each - value));
    return distances.indexOf(Math.min(...distances));
  };
  const clamp = (frame) => Math.min(last, Math.max(0, frame));
  const reset = () => {
    traversal.style.setProperty("--y", start);
    for (const card of cards) {
      const own = Number(card.dataset.own.split(" ")[start]);
      card.style.setProperty("--own", clamp(position(card, own)));
      show(card, nearest(card, own));
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
