"use strict";
(() => {
  const REACH = 26; // pixels within which a dot is preferred to the nearest curve
  const root = document.documentElement;
  const data = JSON.parse(document.getElementById("report-data").textContent);

  // --- light and dark -----------------------------------------------------------------------

  const theme = document.getElementById("theme");
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const showTheme = () => {
    theme.textContent = isDark() ? "Light" : "Dark";
    theme.setAttribute("aria-label", `Switch to ${theme.textContent.toLowerCase()} colours`);
    theme.setAttribute("aria-pressed", String(isDark()));
  };
  theme.hidden = false;
  theme.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    showTheme();
  });
  system.addEventListener("change", showTheme);
  showTheme();

  // --- numbers as people read them ------------------------------------------------------------

  const UPPER = "⁰¹²³⁴⁵⁶⁷⁸⁹";
  const power = (n) => [...String(n)].map((c) => (c === "-" ? "⁻" : UPPER[+c])).join("");
  const SUFFIXES = [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "k"]];
  const number = (v, digits = 4) => {
    if (v === null) return "none";
    const size = Math.abs(v);
    if (size >= 1e15 || (size > 0 && size < 1e-4)) {
      const [head, tail] = v.toExponential(2).split("e");
      return `${+head}×10${power(+tail)}`;
    }
    const [scale, suffix] = SUFFIXES.find(([s]) => size >= s) || [1, ""];
    return `${+(v / scale).toPrecision(digits)}${suffix}`;
  };

  // --- one picture ----------------------------------------------------------------------------

  const place = ([log, low, high], v, start, end) => {
    const share = log ? Math.log(v / low) / Math.log(high / low) : (v - low) / (high - low);
    return start + share * (end - start);
  };

  const curveText = (chart, curve, i) => {
    const lines = curve.label ? [curve.label] : [];
    lines.push(`${chart.names[0]} = ${number(curve.x[i])}`);
    lines.push(`${chart.line} ${number(curve.y[i])}`);
    for (const [name, [low, high]] of Object.entries(curve.bands))
      lines.push(`${name}: ${number(low[i])} to ${number(high[i])}`);
    return lines.join("\n");
  };

  const dotText = (chart, dots, i) => {
    const lines = Object.entries(dots.told).map(([name, values]) => {
      const value = values[i];
      return typeof value === "string" ? `${name} ${value}` : `${name} = ${number(value)}`;
    });
    lines.push(`${chart.names[0]} = ${number(dots.x[i])}`, `${chart.names[1]} = ${number(dots.y[i])}`);
    return lines.join("\n");
  };

  const start = (box) => {
    const chart = data.charts[box.dataset.chart];
    const tip = box.querySelector(".tip");
    const told = box.querySelector(".told");
    const svgs = [...box.querySelectorAll("svg")];
    let panel = 0;
    const hidden = new Set();
    let chosen = null; // the mark that the arrow keys are at

    const shown = (mark) => mark.panel === panel && !hidden.has(mark.series);
    const current = () => svgs.find((svg) => svg.getBoundingClientRect().width > 0) || svgs[0];
    const pixels = (svg, mark, i) => {
      const [left, top, right, bottom] = svg.dataset.box.split(" ").map(Number);
      return [place(chart.x, mark.x[i], left, right), place(chart.y, mark.y[i], bottom, top)];
    };

    const hide = () => {
      tip.hidden = true;
      for (const svg of svgs) svg.querySelector(".cursor").setAttribute("hidden", "");
    };

    const show = (svg, mark, i) => {
      const [x, y] = pixels(svg, mark, i);
      const [, top, , bottom] = svg.dataset.box.split(" ").map(Number);
      const cursor = svg.querySelector(".cursor");
      cursor.removeAttribute("hidden");
      cursor.querySelector(".hair").setAttribute("d", `M${x} ${top}L${x} ${bottom}`);
      cursor.querySelector("circle").setAttribute("cx", x);
      cursor.querySelector("circle").setAttribute("cy", y);
      tip.textContent = mark.told ? dotText(chart, mark, i) : curveText(chart, mark, i);
      tip.hidden = false;
      const whole = svg.getBoundingClientRect();
      const own = box.getBoundingClientRect();
      const scale = whole.width / svg.viewBox.baseVal.width;
      const px = whole.left - own.left + x * scale;
      const py = whole.top - own.top + y * scale;
      const room = own.width - tip.offsetWidth - 4;
      const beside = px + 14 <= room ? px + 14 : px - tip.offsetWidth - 14;
      tip.style.left = `${Math.max(4, Math.min(room, beside))}px`;
      tip.style.top = `${Math.max(0, py - tip.offsetHeight - 12)}px`;
    };

    const nearest = (svg, marks, px, py, wide) => {
      let best = null;
      for (const mark of marks.filter(shown))
        for (let i = 0; i < mark.x.length; i += 1) {
          if (mark.y[i] === null) continue;
          const [x, y] = pixels(svg, mark, i);
          const away = Math.hypot((x - px) * (wide ? 3 : 1), y - py);
          if (!best || away < best.away) best = { mark, i, away };
        }
      return best;
    };

    const point = (event) => {
      const svg = event.currentTarget;
      const whole = svg.getBoundingClientRect();
      const scale = svg.viewBox.baseVal.width / whole.width;
      const px = (event.clientX - whole.left) * scale;
      const py = (event.clientY - whole.top) * scale;
      const dot = nearest(svg, chart.dots, px, py, false);
      const near = dot && dot.away < REACH / 2 ? dot : null;
      const found = near || nearest(svg, chart.curves, px, py, true) || dot;
      if (found) show(svg, found.mark, found.i);
    };

    const step = (event) => {
      const moves = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };
      if (event.key === "Escape") hide();
      if (!(event.key in moves)) return;
      event.preventDefault();
      const marks = [...chart.curves, ...chart.dots].filter(shown);
      if (!marks.length) return;
      const [across, along] = moves[event.key];
      let m = chosen ? marks.indexOf(chosen.mark) : -1;
      let i = chosen && m >= 0 ? chosen.i + along : 0;
      m = m < 0 ? 0 : (m + across + marks.length) % marks.length;
      i = Math.max(0, Math.min(marks[m].x.length - 1, i));
      chosen = { mark: marks[m], i };
      show(current(), marks[m], i);
      told.textContent = tip.textContent;
    };

    const update = () => {
      for (const mark of box.querySelectorAll(".mark")) {
        const { panel: p, series: s } = mark.dataset;
        mark.classList.toggle("off", +p !== panel || hidden.has(+s));
      }
      for (const button of box.querySelectorAll("button")) {
        const { panel: p, series: s } = button.dataset;
        const on = p === undefined ? !hidden.has(+s) : +p === panel;
        button.setAttribute("aria-pressed", String(on));
      }
      chosen = null;
      hide();
    };

    box.querySelector(".keys").addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      const { panel: p, series: s } = button.dataset;
      if (p !== undefined) panel = +p;
      else if (!hidden.delete(+s)) hidden.add(+s);
      update();
    });
    for (const svg of svgs) {
      svg.addEventListener("pointermove", point);
      svg.addEventListener("pointerdown", point);
      svg.addEventListener("pointerleave", hide);
      svg.addEventListener("keydown", step);
      svg.addEventListener("blur", hide);
    }
  };

  for (const box of document.querySelectorAll(".chart")) start(box);
})();
