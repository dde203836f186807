/* What the page does beyond being read: find, sort, unpack, save. Without it everything else stays. */

/* Downloads are saved unpacked. */
for (const link of document.querySelectorAll(".downloads a[download$='.gz']")) {
  const name = link.download.slice(0, -3);
  link.addEventListener("click", async (event) => {
    if (!event.isTrusted) return;
    event.preventDefault();
    const saved = document.createElement("a");
    saved.href = URL.createObjectURL(new Blob([await textOf(link)]));
    saved.download = name;
    saved.click();
    URL.revokeObjectURL(saved.href);
  });
  link.querySelector(".packing")?.remove();
}

/* Figures that are packed are unpacked once they are opened. */
const unpack = async (details) => {
  const script = details.querySelector("script[type='application/gzip']");
  if (!script) return;
  const html = await inflate(bytesOf(script.textContent));
  script.replaceWith(...new DOMParser().parseFromString(html, "text/html").body.childNodes);
};
for (const details of document.querySelectorAll("details.packed")) {
  details.addEventListener("toggle", () => details.open && unpack(details));
}

/* Levels can be put in another order: the cells say what by, arm by arm. */
const words = document.getElementById("words")?.dataset ?? {};
const option = (select, text, value) => {
  const made = document.createElement("option");
  made.textContent = text;
  made.value = value;
  select.append(made);
};
document.querySelectorAll("table.levels").forEach((table, number) => {
  const body = table.tBodies[0];
  const rows = [...body.rows];
  if (rows.length < 3) return;
  const arms = [...table.tHead.rows[0].cells].slice(1).map((cell) => cell.querySelector("bdi").textContent);
  const label = document.createElement("label");
  const select = document.createElement("select");
  select.id = `order-${number}`;
  label.htmlFor = select.id;
  label.textContent = words.order;
  option(select, words.natural, "");
  arms.forEach((arm, at) => {
    const beside = arms.length > 1 ? ` · ${arm}` : "";
    const money = table.dataset.money !== undefined;
    option(select, (money ? words.profit : words.effect) + beside, `${at},0,-1`);
    if (money) option(select, words.roi + beside, `${at},1,-1`);
    option(select, words.certainty + beside, `${at},2,1`);
  });
  select.addEventListener("change", async () => {
    const { findings } = await data();
    const [arm, key, sign] = select.value.split(",").map(Number);
    const by = (row) => {
      const told = row.cells[arm + 1].querySelectorAll("[data-key]");
      const beside = row.cells[arm + 1].querySelector("i [data-key]");
      const [, , at] = ((key === 1 ? beside : told[0])?.dataset.key ?? "").split("/");
      return findings[at]?.[key === 2 ? "p" : "estimate"] ?? null;
    };
    const ordered = select.value === "" ? rows : [...rows].sort((a, b) => {
      const [x, y] = [by(a), by(b)];
      if (x === null || y === null) return (x === null) - (y === null);
      return sign * (x - y);
    });
    body.append(...ordered);
  });
  const bar = document.createElement("p");
  bar.className = "order";
  bar.append(label, select);
  table.before(bar);
});

/* Find a segment: rows of the map whose name, or whose dimension's, holds what is typed;
   on a page of another kind, rows of its tables, each named by its section. */
const find = document.getElementById("find");
const found = document.getElementById("found");
const onMap = () =>
  [...document.querySelectorAll("#roi-map tbody")].flatMap((group) => {
    const title = group.querySelector("tr.group")?.textContent.trim() ?? "";
    return [...group.querySelectorAll("tr:not(.group) th a")].map((link) => ({
      text: `${title}: ${link.textContent.trim()}`,
      href: link.getAttribute("href"),
    }));
  });
const inTables = () =>
  [...document.querySelectorAll("main tbody th[scope='row']")].map((head, number) => {
    const row = head.parentElement;
    row.id ||= `row-${number}`;
    const name = (head.querySelector("bdi") ?? head.firstChild).textContent.trim();
    return { text: `${head.closest("section").querySelector("h2").textContent.trim()}: ${name}`, href: `#${row.id}` };
  });
const known = find ? (find.dataset.rows === undefined ? onMap() : inTables()) : [];
if (known.length) {
  find.parentElement.hidden = false;
  find.addEventListener("input", () => {
    const wanted = find.value.trim().toLowerCase();
    const hits = wanted ? known.filter((one) => one.text.toLowerCase().includes(wanted)).slice(0, 12) : [];
    found.replaceChildren(
      ...hits.map((one) => {
        const item = document.createElement("li");
        const link = document.createElement("a");
        link.href = one.href;
        link.textContent = one.text;
        item.append(link);
        return item;
      }),
    );
    if (wanted && !hits.length) {
      const item = document.createElement("li");
      item.textContent = words.nothing;
      found.append(item);
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^(input|select|textarea)$/i.test(event.target.tagName)) return;
    event.preventDefault();
    find.closest("details").open = true;
    find.focus();
  });
}

/* On a narrow screen what is asked for less often is folded until it is asked for. */
const slim = matchMedia("(max-width: 40rem)");
const briefs = document.querySelectorAll("details.brief");
const unfolded = () => document.getElementById(decodeURIComponent(location.hash.slice(1)))?.closest("details.brief");
const fold = () => {
  for (const one of briefs) one.open = !slim.matches || one === unfolded();
};
slim.addEventListener("change", fold);
addEventListener("hashchange", () => unfolded()?.setAttribute("open", ""));
addEventListener("beforeprint", () => briefs.forEach((one) => one.setAttribute("open", "")));
fold();

/* The index marks where the reader is, and closes behind a link on a narrow screen. */
const index = document.querySelector("nav.index details");
if (index) {
  const narrow = matchMedia("(max-width: 75rem)");
  index.addEventListener("click", (event) => {
    if (narrow.matches && event.target.closest("a")) index.open = false;
  });
  const links = new Map([...index.querySelectorAll("a")].map((a) => [a.getAttribute("href").slice(1), a]));
  const targets = [...links.keys()].map((id) => document.getElementById(id)).filter(Boolean);
  let asked = false;
  const marked = () => {
    asked = false;
    // The last one that begins in the upper third: also after a jump over others between.
    const here = targets.filter((target) => target.getBoundingClientRect().top <= innerHeight / 3);
    const link = links.get((here.pop() ?? targets[0])?.id);
    if (!link || link.hasAttribute("aria-current")) return;
    for (const other of links.values()) other.removeAttribute("aria-current");
    link.setAttribute("aria-current", "location");
  };
  const soon = () => {
    if (!asked) requestAnimationFrame(marked);
    asked = true;
  };
  addEventListener("scroll", soon, { passive: true });
  addEventListener("resize", soon);
  soon();
}
