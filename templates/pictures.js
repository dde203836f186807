// What is a picture on the page, and how it stands alone: read by the product, not by the page.
(() => {
  const LEGEND = "[data-picture=forest], [data-picture=segment]";
  const main = document.querySelector("main");
  const words = (part) => (part ? part.textContent.trim().replace(/\s+/g, " ") : "");
  const put = (before, tag, text, width) => {
    const made = document.createElement(tag);
    made.textContent = text;
    made.dataset.pictureTitle = "";
    before.before(made);
    dress(made, { width: `${Math.max(width, 480)}px`, margin: "0 0 8px" });
  };
  // No element of the page has a style of its own: what is dressed here is undressed by removing it.
  const dress = (part, style) => {
    for (const [name, value] of Object.entries(style)) part.style.setProperty(name, value, "important");
    part.dataset.pictureDressed = "";
  };
  // Everything else goes: what stands beside the picture and beside each part that holds it. The
  // picture keeps the width that it has on the page.
  const alone = (picture, width) => {
    dress(picture, { width: `${width}px`, margin: "0" });
    for (let part = picture; part !== document.body; part = part.parentElement) {
      dress(part.parentElement, { display: "block", "margin-top": "0" });
      for (const other of part.parentElement.children)
        if (other !== part && !(picture.matches(LEGEND) && other.matches(".legend"))) dress(other, { display: "none" });
    }
    for (const fold of picture.querySelectorAll("details, .order")) dress(fold, { display: "none" });
  };
  const back = () => {
    for (const title of document.querySelectorAll("[data-picture-title]")) title.remove();
    for (const part of document.querySelectorAll("[data-picture-dressed]")) {
      part.removeAttribute("style");
      delete part.dataset.pictureDressed;
    }
  };
  // Outermost ones that are seen: none inside another, none in a fold-out.
  const all = () => {
    back();
    const shown = (part) => part.checkVisibility() && !part.parentElement.closest("[data-picture]");
    return [...document.querySelectorAll("[data-picture]")].filter(shown);
  };
  // The smallest frame around all that is seen, whatever room the page leaves beside it.
  const frame = () => {
    const walker = document.createTreeWalker(main, NodeFilter.SHOW_TEXT);
    const boxes = [...main.querySelectorAll("svg, td, th, dl > div")].map((part) => part.getBoundingClientRect());
    // What is said to screen readers alone lies in a box of one pixel.
    const seen = (part) => part === main || (part.offsetWidth > 1 && seen(part.parentElement));
    for (let text = walker.nextNode(); text; text = walker.nextNode()) {
      if (!seen(text.parentElement)) continue;
      const range = document.createRange();
      range.selectNodeContents(text);
      boxes.push(...range.getClientRects());
    }
    const wide = boxes.filter((box) => box.width > 1 && box.height > 1);
    const [left, top] = ["left", "top"].map((side) => Math.min(...wide.map((box) => box[side])));
    const [right, bottom] = ["right", "bottom"].map((side) => Math.max(...wide.map((box) => box[side])));
    const edge = 20;
    return {
      x: Math.max(0, left + scrollX - edge),
      y: Math.max(0, top + scrollY - edge),
      width: right - left + 2 * edge,
      height: bottom - top + 2 * edge,
    };
  };
  return {
    count: () => all().length,
    show: (number) => {
      const picture = all()[number];
      const section = picture.closest("section");
      const heading = picture.querySelector("h2") ? "" : picture.dataset.pictureHeading ?? words(section.querySelector("h2"));
      const { width } = picture.getBoundingClientRect();
      alone(picture, width);
      const first = main.firstElementChild;
      put(first, "p", words(document.querySelector("h1")), width);
      if (heading) put(first, "h2", heading, width);
      const caption = picture.querySelector("h3, figcaption, caption:not(.hidden)");
      const told = [...(caption?.querySelectorAll("strong, bdi") ?? [])].map(words).join(" ");
      return { kind: picture.dataset.picture, caption: told, clip: frame() };
    },
  };
})()
