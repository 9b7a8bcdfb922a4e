<?php

// Files come in by a form, or one by one as the body of a PUT request.
//
//   php -d extension=ferrite examples/upload.php [--port PORT] [--workers N]
//
//   curl -F 'files[]=@photo.jpg' http://127.0.0.1:9501/
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
    <form method="post" enctype="multipart/form-data">
    <input type="file" name="files[]" multiple required> <button>Send</button>
    </form>
    <ul>%s</ul>
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

/** What a file may be called: nothing hidden, no folders, nothing that a terminal obeys. */
function acceptable(string $name): bool
{
    return (bool) preg_match('~^[^./\\\\\0-\x1f][^/\\\\\0-\x1f]{0,199}$~', $name);
}

/** A complete file or none: written under another name first. */
function store(string $folder, string $name, string $content): void
{
    $temporary = tempnam($folder, '.part-');
    file_put_contents($temporary, $content);
    rename($temporary, "$folder/$name");
}

function refuse(Response $response, int $status, string $why): void
{
    $response->status($status);
    $response->header('Content-Type', 'text/plain; charset=utf-8');
    $response->end("$why\n");
}

function listing(Request $request, Response $response, string $folder): void
{
    if ($request->getMethod() === 'GET') {
        $response->header('Content-Type', 'text/html; charset=utf-8');
        $response->end(page($folder));
        return;
    }
    if ($request->getMethod() !== 'POST') {
        $response->header('Allow', 'GET, POST');
        refuse($response, 405, 'Only GET and POST are allowed here.');
        return;
    }
    // The files are temporary, and gone when this request is over: keep what is wanted.
    $sent = $request->files['files'] ?? ['name' => []];
    foreach ((array) $sent['name'] as $index => $name) {
        if ($sent['error'][$index] !== UPLOAD_ERR_OK || !acceptable($name)) {
            refuse($response, 400, "This file was not accepted: $name");
            return;
        }
        store($folder, $name, file_get_contents($sent['tmp_name'][$index]));
    }
    $response->redirect('/', 303);
}

function oneFile(Request $request, Response $response, string $folder, string $name): void
{
    if (!acceptable($name)) {
        refuse($response, 400, 'This is no name for a file.');
    } elseif ($request->getMethod() === 'PUT') {
        store($folder, $name, $request->rawContent());
        $response->status(201);
        $response->end();
    } elseif ($request->getMethod() !== 'GET') {
        $response->header('Allow', 'GET, PUT');
        refuse($response, 405, 'Only GET and PUT are allowed here.');
    } elseif (!is_file("$folder/$name")) {
        refuse($response, 404, 'There is no such file.');
    } else {
        // Whatever it is, no browser shows it as a page of this server.
        $response->header('Content-Type', 'application/octet-stream');
        $response->header('X-Content-Type-Options', 'nosniff');
        $response->sendfile("$folder/$name");
    }
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
    // request_uri is what the client sent: an encoded slash does not become a folder.
    $path = $request->server['request_uri'];
    if ($path === '/') {
        listing($request, $response, $folder);
    } elseif (str_starts_with($path, '/files/')) {
        oneFile($request, $response, $folder, rawurldecode(substr($path, strlen('/files/'))));
    } else {
        refuse($response, 404, 'There are only / and /files/NAME.');
    }
});

$server->start();
