(() => {
  // Starts every picture in reach that has not been started: each lives in its own shadow tree and its own closure,
  // so that several in one notebook know nothing of each other, and need no ids.
  const SHOWN = 0.005;  // a weight that would be written as 0.00 is not drawn
  const STILL = matchMedia("(prefers-reduced-motion: reduce)");
  const reach = document.currentScript ? document.currentScript.getRootNode() : document;
  for (const scope of new Set([reach, document])) {
    for (const host of scope.querySelectorAll(".attention-explorer")) {
      if (!host.shadowRoot) start(host);
    }
  }

  function make(tag, attributes, ...children) {
    const svg = tag === "svg" || tag === "g" || tag === "path";
    const node = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
    node.append(...children);
    return node;
  }

  function written(weight) {
    return (Math.floor(weight * 100 + 0.5 + 1e-9) / 100).toFixed(2);
  }

  function start(host) {
    const { queries, keys, heads, layers, labels, temperature, title, caption, flipped } = JSON.parse(host.dataset.names);
    const digits = host.dataset.numbers.replace(/\D/g, "");
    const sign = host.dataset.numbers.replace(/\d/g, "");  // before numbers that depend on the machine
    const scored = temperature !== null;
    const width = scored ? 6 : 4;
    const cells = [...host.querySelectorAll("td")];
    const tableCaption = host.querySelector("caption");
    const state = { layer: 0, head: 0, temperature, pinned: null, hovered: null };

    // ---- numbers -------------------------------------------------------------------------------------------------
    function row(query) {
      const first = ((state.layer * heads.length + state.head) * queries.length + query) * keys.length;
      const whole = keys.map((_, key) => Number(digits.slice((first + key) * width, (first + key + 1) * width)));
      if (!scored) return whole.map((thousandths) => thousandths / 1000);
      // Stored is how far a score lies below the best of its row, at the first temperature; 999999 is hidden.
      const powers = whole.map((below) => (below === 999999 ? 0 : Math.exp(((-below / 1000) * temperature) / state.temperature)));
      const sum = powers.reduce((one, two) => one + two, 0);
      return powers.map((power) => (sum ? power / sum : 0));
    }

    function best(weights) {
      const order = weights.map((_, key) => key).sort((one, two) => weights[two] - weights[one] || one - two);
      return order.slice(0, 3).filter((key) => weights[key] >= SHOWN);
    }

    function sentence(query, weights) {
      const found = best(weights).map((key) => `${keys[key]} ${written(weights[key])}`);
      return `${queries[query]} attends to ${found.join(", ") || "nothing"}`;
    }

    // ---- the page ------------------------------------------------------------------------------------------------
    const most = Math.max(queries.length, keys.length);
    const size = most <= 12 ? 32 : most <= 24 ? 24 : 17;
    const height = most * size;
    const spread = Math.min(height / queries.length, 64);
    const pill = Math.min(spread, 34) - 2;
    const place = (names, step) => (index) => height / 2 + (index + 0.5 - names.length / 2) * step;
    const queryAt = place(queries, spread);
    const keyAt = place(keys, size);

    const everyLine = make("g", { class: "every" });
    const chosenLines = make("g", { class: "chosen" });
    const picture = make(
      "svg",
      { viewBox: `0 0 100 ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" },
      everyLine,
      chosenLines
    );
    const lines = keys.map(() => make("path", {}));
    chosenLines.append(...lines);

    const options = queries.map((name, index) => {
      const text = make("span", { dir: "auto" }, name);
      const option = make("div", { role: "option", "aria-selected": "false", tabindex: index ? -1 : 0 }, text);
      option.style.top = `${queryAt(index) - pill / 2}px`;
      option.style.height = `${pill}px`;
      return option;
    });
    const widest = make("div", { class: "widest", "aria-hidden": "true" });  // gives the column its width
    widest.append(...queries.map((name) => make("div", {}, name)));
    const list = make("div", { role: "listbox", "aria-label": labels.query, class: "queries" }, ...options);

    const bars = keys.map(() => make("i", {}));
    const numbers = keys.map(() => make("b", {}));
    const rows = keys.map((name, key) =>
      make(
        "div",
        { class: "key" },
        make("span", { dir: "auto", class: "name", "data-name": name }, name),
        make("span", { class: "track" }, bars[key], numbers[key])
      )
    );
    const right = make("div", { class: "keys", "aria-hidden": "true" }, ...rows);  // the sentence and the table say it
    const said = make("p", { role: "status", class: "said" });
    const stage = make(
      "div",
      { class: "stage" },
      make("div", { class: "over left", "aria-hidden": "true" }, labels.query),
      make("div", { class: "over", "aria-hidden": "true" }),
      make("div", { class: "over", "aria-hidden": "true" }, labels.key),
      make("div", { class: "column" }, widest, list),
      picture,
      right
    );
    stage.style.setProperty("--row", `${size}px`);
    stage.style.setProperty("--height", `${height}px`);
    stage.style.setProperty("--letters", size < 24 ? "12px" : "14px");

    // ---- lines and bars ------------------------------------------------------------------------------------------
    // The lines of a query leave it side by side, and together they are as thick as its weights are large: what one
    // key gains, the others lose.
    function curves(from, weights, thickness) {
      let used = weights.reduce((one, two) => one + two, 0) / -2;
      return weights.map((weight, key) => {
        const start = (from + thickness * (used + weight / 2)).toFixed(1);
        const end = keyAt(key).toFixed(1);
        used += weight;
        return `M0 ${start}C45 ${start} 55 ${end} 100 ${end}`;
      });
    }

    const drawn = { from: height / 2, weights: keys.map(() => 0) };  // what stands on the screen now
    let frame = 0;

    function draw(from, weights) {
      Object.assign(drawn, { from, weights });
      const paths = curves(from, weights, pill - 4);
      lines.forEach((line, key) => {
        const weight = weights[key];
        line.setAttribute("d", paths[key]);
        line.style.strokeWidth = Math.max(0.8, (pill - 4) * weight).toFixed(2);
        line.style.opacity = weight < SHOWN ? 0 : (0.25 + 0.6 * Math.sqrt(weight)).toFixed(3);
        bars[key].style.width = weight < SHOWN ? 0 : `calc((100% - 3.4em) * ${weight.toFixed(4)})`;
      });
    }

    function glide(from, weights) {
      cancelAnimationFrame(frame);
      if (STILL.matches) return draw(from, weights);
      const before = { ...drawn };
      let began = null;
      const step = (now) => {
        began ??= now;
        const time = Math.min(1, (now - began) / 200);
        const ease = 1 - (1 - time) ** 3;
        const between = (one, two) => one + (two - one) * ease;
        draw(between(before.from, from), weights.map((weight, key) => between(before.weights[key], weight)));
        if (time < 1) frame = requestAnimationFrame(step);
      };
      frame = requestAnimationFrame(step);
    }

    function drawEvery() {
      everyLine.replaceChildren();
      const names = [heads.length > 1 && `${labels.head} ${heads[state.head]}`];
      names.unshift(layers.length > 1 && `${labels.layer} ${layers[state.layer]}`);
      names.push(scored && `temperature ${state.temperature}`);
      tableCaption.textContent = ["weights", ...names.filter(Boolean)].join(", ");
      queries.forEach((_, query) => {
        const weights = row(query);
        const paths = curves(queryAt(query), weights, 7);
        weights.forEach((weight, key) => {
          cells[flipped ? key * queries.length + query : query * keys.length + key].textContent = sign + written(weight);
          if (weight < 0.02) return;
          const line = make("path", { d: paths[key] });
          line.style.strokeWidth = Math.max(0.8, 7 * weight).toFixed(2);
          line.style.opacity = (0.12 + 0.4 * weight).toFixed(3);
          everyLine.append(line);
        });
      });
    }

    let before = null;
    function show() {
      const query = state.hovered ?? state.pinned;
      const weights = query === null ? keys.map(() => 0) : row(query);
      const named = best(weights);
      options.forEach((option, index) => {
        option.setAttribute("aria-selected", String(index === state.pinned));
        option.classList.toggle("now", index === query);
      });
      stage.classList.toggle("busy", query !== null);
      rows.forEach((line, key) => {
        line.classList.toggle("best", named.includes(key));
        numbers[key].textContent = query === null ? "" : written(weights[key]);
      });
      const hint = `Choose a ${labels.query}: move over it, or use the arrow keys.`;
      said.textContent = query === null ? hint : sentence(query, weights);
      if (query !== null && before === null) draw(queryAt(query), drawn.weights);  // do not fly in from afar
      glide(query === null ? drawn.from : queryAt(query), weights);
      before = query;
    }

    function pin(query) {
      Object.assign(state, { pinned: query, hovered: null });
      options.forEach((option, index) => option.setAttribute("tabindex", index === (query ?? 0) ? 0 : -1));
      show();
    }

    // ---- what a person does --------------------------------------------------------------------------------------
    function roving(nodes, now, go) {
      return (event) => {
        const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
        const ends = { Home: 0, End: nodes.length - 1 }[event.key];
        if ((step ?? ends) === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
        event.preventDefault();
        const next = ends ?? (now() === null ? 0 : (now() + step + nodes.length) % nodes.length);
        go(next);
        nodes[next].focus();
      };
    }

    options.forEach((option, index) => {
      option.addEventListener("pointerenter", (event) => {
        if (event.pointerType === "touch") return;
        state.hovered = index;
        show();
      });
      option.addEventListener("click", () => pin(index));
      option.addEventListener("focus", () => option.matches(":focus-visible") && state.pinned !== index && pin(index));
    });
    list.addEventListener("pointerleave", () => {
      state.hovered = null;
      show();
    });
    list.addEventListener("keydown", roving(options, () => state.pinned, pin));
    stage.addEventListener("keydown", (event) => event.key === "Escape" && pin(null));
    stage.addEventListener("click", (event) => event.target.closest("[role=option]") || pin(null));

    function buttons(what, names) {
      const nodes = names.map((name, index) =>
        make("button", { type: "button", role: "radio", "aria-checked": String(!index), tabindex: index ? -1 : 0 }, name)
      );
      const go = (chosen) => {
        state[what] = chosen;
        nodes.forEach((node, index) => {
          node.setAttribute("aria-checked", String(index === chosen));
          node.setAttribute("tabindex", index === chosen ? 0 : -1);
        });
        drawEvery();
        show();
      };
      nodes.forEach((node, index) => node.addEventListener("click", () => go(index)));
      const group = make("div", { role: "radiogroup", "aria-label": labels[what], class: "buttons" }, ...nodes);
      group.addEventListener("keydown", roving(nodes, () => state[what], go));
      return make("div", { class: "control" }, make("span", { "aria-hidden": "true" }, labels[what]), group);
    }

    function slider() {
      const decade = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8];  // round numbers, in steps that look alike
      const known = [0.01, 0.1, 1, 10].flatMap((unit) => decade.map((step) => Number((unit * step).toPrecision(2))));
      const all = [...new Set([...known.slice(7, 34), temperature])].sort((one, two) => one - two);  // 0.05 to 25
      const input = make("input", { type: "range", min: 0, max: all.length - 1, "aria-label": "temperature" });
      input.value = all.indexOf(temperature);
      input.setAttribute("aria-valuetext", temperature);
      const value = make("span", { class: "value", "aria-hidden": "true" }, temperature);
      input.addEventListener("input", () => {
        state.temperature = all[input.value];
        value.textContent = state.temperature;
        input.setAttribute("aria-valuetext", value.textContent);
        drawEvery();
        show();
      });
      return make("div", { class: "control" }, make("span", { "aria-hidden": "true" }, "temperature"), input, value);
    }

    const controls = make("div", { class: "controls" });
    if (layers.length > 1) controls.append(buttons("layer", layers));
    if (heads.length > 1) controls.append(buttons("head", heads));
    if (scored) controls.append(slider());

    const whole = make("div", { role: "group", "aria-label": title || "Attention", class: "whole" });
    if (title) whole.append(make("p", { class: "title" }, title));
    whole.append(controls, stage, said);
    if (caption) whole.append(make("p", { class: "caption" }, caption));
    const scroll = make("div", { tabindex: 0, role: "region", "aria-label": `${title || "Attention"}, as a table` });
    scroll.append(make("slot", { name: "table" }));
    whole.append(make("details", {}, make("summary", {}, "The weights as a table"), scroll));
    host.attachShadow({ mode: "open" }).append(make("style", {}, STYLE), whole);
    drawEvery();
    show();
  }
})();
