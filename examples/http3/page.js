// Loads the tiles, all at once, and counts by which protocol everything came.

const tiles = document.getElementById('tiles');
for (let number = 0; number < 24; number++) {
    const tile = new Image();
    tile.alt = '';
    tile.src = `/tile/${number}.svg`;
    tiles.append(tile);
}

addEventListener('load', () => {
    const [page] = performance.getEntriesByType('navigation');
    document.getElementById('page').textContent = page.nextHopProtocol;

    const counts = {};
    for (const { nextHopProtocol } of performance.getEntriesByType('resource')) {
        counts[nextHopProtocol] = (counts[nextHopProtocol] ?? 0) + 1;
    }
    for (const [protocol, count] of Object.entries(counts)) {
        const line = document.createElement('li');
        line.textContent = `${protocol}: ${count} files`;
        document.getElementById('files').append(line);
    }
});
