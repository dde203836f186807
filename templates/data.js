/* The analysis inside the page: one copy, the file to download, which scripts read as well. */
const inflate = async (bytes) =>
  new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
const bytesOf = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
/** The text of a link whose address holds a file, compressed or not. */
const textOf = async (link) => {
  const bytes = bytesOf(link.href.slice(link.href.indexOf("base64,") + 7));
  return link.href.startsWith("data:application/gzip") ? inflate(bytes) : new TextDecoder().decode(bytes);
};
let analysis;
/** The analysis, parsed once. */
const data = () => (analysis ??= textOf(document.getElementById("analysis")).then(JSON.parse));
