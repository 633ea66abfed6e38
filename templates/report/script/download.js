// Figure and table as files.

const save = (name, blob) => {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
};

const SIZE = { width: 900, height: 560 };

// The rules of the page's style that hold its font.
const fontRules = () => Array.from(document.styleSheets, sheet => Array.from(sheet.cssRules)).flat().filter(rule => rule instanceof CSSFontFaceRule);

// The figure as it is looked at, on white paper: colours that the page's style names are put in, and the font.
const figureText = () => {
  const { svg } = draw({ ...SIZE, view, titled: true });
  svg.querySelectorAll('.point').forEach(point => ['class', 'tabindex', 'data-place'].forEach(name => point.removeAttribute(name)));
  svg.prepend(svgElement('style', {}, fontRules().map(rule => rule.cssText).join('')));
  const paper = getComputedStyle(document.querySelector('.paper'));
  const xml = new XMLSerializer().serializeToString(svg);
  return xml.replace(/var\((--[a-z0-9-]+)\)/g, (_, name) => paper.getPropertyValue(name).trim());
};

const figureBlob = () => new Blob([figureText()], { type: 'image/svg+xml' });

const savePng = () => {
  const picture = new Image();
  picture.addEventListener('load', () => {
    const sheet = document.createElement('canvas');
    [sheet.width, sheet.height] = [2 * SIZE.width, 2 * SIZE.height];
    sheet.getContext('2d').drawImage(picture, 0, 0, sheet.width, sheet.height);
    URL.revokeObjectURL(picture.src);
    sheet.toBlob(blob => save('figure.png', blob));
  });
  picture.src = URL.createObjectURL(figureBlob());
};

// The rows that the table shows, in its order, with every digit; yes and no are 1 and 0, as in summary.csv.
const csv = () => {
  const names = Object.keys(columns);
  const cell = value => (value === null ? '' : String(typeof value === 'boolean' ? Number(value) : value));
  const row = place => names.map(name => cell(columns[name][place])).join(',');
  const shownRows = Array.from(body.rows).filter(tableRow => !tableRow.hidden).map(placeOf);
  return `${[names.join(','), ...shownRows.map(row)].join('\n')}\n`;
};

byId('save-svg').addEventListener('click', () => save('figure.svg', figureBlob()));
byId('save-png').addEventListener('click', savePng);
byId('save-csv').addEventListener('click', () => save('levels.csv', new Blob([csv()], { type: 'text/csv' })));
