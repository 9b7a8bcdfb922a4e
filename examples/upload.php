<?php

// A page that files can be dropped on. The browser sends each as the body of a PUT request.
//
//   php -d extension=ferrite examples/upload.php [--port PORT] [--workers N]
//
//   curl -T photo.jpg http://127.0.0.1:9501/files/photo.jpg
//
// What is larger than a memory bound waits in an unlinked temporary file until it is complete, so
// that a slow client holds no worker. package_max_length is how much is accepted at all (413 past
// it).

declare(strict_types=1);

use Ferrite\Http\Request;
use Ferrite\Http\Response;
use Ferrite\Http\Server;

const PAGE = <<<'HTML'
    <!doctype html>
    <meta charset="utf-8">
    <title>Files</title>
    <h1>Files</h1>
    <form><input type="file" name="files" multiple> <button>Send</button> <output></output></form>
    <ul>%s</ul>
    <script>
    document.forms[0].addEventListener('submit', async event => {
        event.preventDefault();
        for (const file of event.target.files.files) {
            const url = '/files/' + encodeURIComponent(file.name);
            const answer = await fetch(url, {method: 'PUT', body: file});
            if (!answer.ok) {
                document.querySelector('output').value = file.name + ': ' + await answer.text();
                return;
            }
        }
        location.reload();
    });
    </script>
    HTML;

function page(string $folder): string
{
    $items = '';
    foreach (array_diff(scandir($folder), ['.', '..']) as $name) {
        if (str_starts_with($name, '.')) {
            continue;
        }
        $size = number_format(filesize("$folder/$name") / 1024, 1);
        $link = '/files/' . rawurlencode($name);
        $items .= '<li><a href="' . $link . '">' . htmlspecialchars($name) . "</a> $size KiB</li>";
    }
    return sprintf(PAGE, $items);
}

/** A complete file or none: written under another name first. */
function store(string $folder, string $name, string $content): void
{
    $temporary = tempnam($folder, '.part-');
    file_put_contents($temporary, $content);
    rename($temporary, "$folder/$name");
}

$options = getopt('', ['port:', 'workers:']);
$folder = getenv('FERRITE_EXAMPLE_DATA') ?: sys_get_temp_dir() . '/ferrite-files';
is_dir($folder) || mkdir($folder, 0700, true);

$server = new Server('127.0.0.1', (int) ($options['port'] ?? 9501));
$server->set([
    'worker_num' => (int) ($options['workers'] ?? 2),
    'package_max_length' => 64 << 20,
]);

$server->on('Request', function (Request $request, Response $response) use ($folder): void {
    $fail = function (int $status, string $why) use ($response): void {
        $response->status($status);
        $response->header('Content-Type', 'text/plain; charset=utf-8');
        $response->end("$why\n");
    };

    // request_uri as the client sent it, so that an encoded slash does not become a folder.
    $path = $request->server['request_uri'];
    $method = $request->getMethod();
    if ($path === '/' && $method === 'GET') {
        $response->header('Content-Type', 'text/html; charset=utf-8');
        $response->end(page($folder));
        return;
    }
    if (!str_starts_with($path, '/files/')) {
        $fail(404, 'There are only / and /files/NAME.');
        return;
    }
    $name = rawurldecode(substr($path, strlen('/files/')));
    if (!preg_match('~^[^./\\\\\0-\x1f][^/\\\\\0-\x1f]{0,199}$~', $name)) {
        $fail(400, 'This is no name for a file.');
    } elseif ($method === 'PUT') {
        store($folder, $name, $request->rawContent());
        $response->status(201);
        $response->end();
    } elseif ($method !== 'GET') {
        $response->header('Allow', 'GET, PUT');
        $fail(405, 'Only GET and PUT are allowed here.');
    } elseif (!is_file("$folder/$name")) {
        $fail(404, 'There is no such file.');
    } else {
        // Whatever it is, it is shown to nobody as a page of this server.
        $response->header('Content-Type', 'application/octet-stream');
        $response->header('X-Content-Type-Options', 'nosniff');
        $response->end(file_get_contents("$folder/$name"));
    }
});

$server->on('Start', function (Server $server): void {
    echo "Files on http://127.0.0.1:{$server->port}/\n";
});

$server->start();
