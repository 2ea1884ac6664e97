/** Owns handing a file to the person through the browser's own download. */

export function download(name: string, blob: Blob): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // the browser reads the blob after the click; a minute is ample and then it is freed
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
