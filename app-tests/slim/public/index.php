<?php

// An application of Slim 3 with Nyholm's PSR-7: as one is deployed under php-fpm.

declare(strict_types=1);

use Nyholm\Psr7\Factory\Psr17Factory;
use Psr\Http\Message\ResponseInterface;
use Psr\Http\Message\ServerRequestInterface;

error_reporting(E_ALL & ~E_DEPRECATED);
require 'Slim/autoload.php';
require 'Nyholm/Psr7/autoload.php';
require 'Symfony/Component/VarDumper/autoload.php';
foreach (glob('/usr/share/php/Symfony/Component/VarDumper/Resources/functions/*.php') as $functions) {
    require_once $functions;
}

/** What nyholm/psr7-server does. */
function request_from_globals(Psr17Factory $factory): ServerRequestInterface
{
    $scheme = ($_SERVER['HTTPS'] ?? '') === 'on' ? 'https' : 'http';
    $uri = $factory->createUri("$scheme://$_SERVER[HTTP_HOST]$_SERVER[REQUEST_URI]");
    $request = $factory->createServerRequest($_SERVER['REQUEST_METHOD'], $uri, $_SERVER);
    foreach (getallheaders() as $name => $value) {
        $request = $request->withHeader((string) $name, $value);
    }
    $files = [];
    foreach ($_FILES as $field => $file) {
        $stream = $factory->createStreamFromFile($file['tmp_name']);
        $files[$field] = $factory->createUploadedFile($stream, $file['size'], $file['error'], $file['name'], $file['type']);
    }
    $json = str_starts_with($request->getHeaderLine('Content-Type'), 'application/json');
    return $request->withCookieParams($_COOKIE)->withQueryParams($_GET)->withUploadedFiles($files)
        ->withBody($factory->createStreamFromResource(fopen('php://input', 'r')))
        ->withParsedBody($json ? json_decode(file_get_contents('php://input'), true) : $_POST)
        ->withProtocolVersion(substr($_SERVER['SERVER_PROTOCOL'], 5));
}

$factory = new Psr17Factory();
$html = function (ResponseInterface $response, string $content, int $status = 200): ResponseInterface {
    $response->getBody()->write("<!doctype html><title>Slim</title>$content\n");
    return $response->withStatus($status)->withHeader('Content-Type', 'text/html; charset=utf-8');
};
$json = function (ResponseInterface $response, array $data, int $status = 200): ResponseInterface {
    $response->getBody()->write(json_encode($data, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE));
    return $response->withStatus($status)->withHeader('Content-Type', 'application/json');
};
$to = fn (ResponseInterface $response, string $place, int $status = 302): ResponseInterface =>
    $response->withStatus($status)->withHeader('Location', $place);
$token = function (): string {
    $_SESSION['token'] ??= bin2hex(random_bytes(16));
    return "<input type=\"hidden\" name=\"_token\" value=\"$_SESSION[token]\">";
};

$app = new Slim\App();
$container = $app->getContainer();
$container['errorHandler'] = $container['phpErrorHandler'] = fn () =>
    fn ($request, $response, $error) => $html($response, get_class($error) . ": {$error->getMessage()}", 500);
$container['notFoundHandler'] = fn () => fn ($request, $response) => $html($response, "nothing at {$request->getUri()->getPath()}", 404);
$container['notAllowedHandler'] = fn () => fn ($request, $response, $methods) =>
    $html($response, 'not allowed', 405)->withHeader('Allow', implode(', ', $methods));

$app->get('/', fn ($request, $response) => $html($response, '<h1>Hello ' . ($_SESSION['user'] ?? 'nobody') . '</h1>'));
$app->get('/hello/{name}', fn ($request, $response, $arguments) => $html($response, htmlspecialchars(
    ($request->getQueryParams()['greeting'] ?? 'Hello') . ' ' . rawurldecode($arguments['name']),
)));
$app->get('/error', fn () => throw new RuntimeException('as it should'));
$app->get('/dump', fn ($request) => dd(['method' => $request->getMethod(), 'sapi is cli' => PHP_SAPI === 'cli']));
$app->map(['GET', 'POST'], '/json', fn ($request, $response) => $json($response, [
    'protocol' => $request->getUri()->getScheme(), 'path' => ltrim($request->getUri()->getPath(), '/'),
    'content' => $request->getParsedBody(), 'cookies' => $request->getCookieParams(),
]));
$app->get('/away', fn ($request, $response) => $to($response, 'https://example.org/?a=1', 303));
$app->get('/cookies', fn ($request, $response) => $html(
    $response->withAddedHeader('Set-Cookie', 'a=1; Path=/; HttpOnly')->withAddedHeader('Set-Cookie', 'b=2; SameSite=Lax'),
    'cookies',
));
$app->get('/download', function ($request, $response) use ($factory) {
    $response = $response->withHeader('Content-Type', 'text/plain')->withHeader('Accept-Ranges', 'bytes');
    $size = filesize('digits.txt');
    if (!preg_match('/^bytes=(\d*)-(\d*)$/', $request->getHeaderLine('Range'), $range)) {
        return $response->withBody($factory->createStreamFromFile('digits.txt'));
    }
    [$from, $to] = $range[1] === '' ? [$size - $range[2], $size - 1] : [(int) $range[1], (int) ($range[2] ?: $size - 1)];
    if ($from >= $size) {
        return $response->withStatus(416)->withHeader('Content-Range', "bytes */$size");
    }
    $response->getBody()->write(file_get_contents('digits.txt', offset: $from, length: $to - $from + 1));
    return $response->withStatus(206)->withHeader('Content-Range', "bytes $from-$to/$size");
});
$app->get('/stream', function ($request, $response) {
    header('Content-Type: text/plain');
    for ($n = 0; $n < 1000; $n++) {
        echo "piece $n\n";
        $n % 100 || flush();
    }
    exit;
});
$app->post('/upload', function ($request, $response) use ($json) {
    $file = $request->getUploadedFiles()['file'] ?? null;
    if ($file === null || $file->getError() !== UPLOAD_ERR_OK) {
        return $json($response, ['error' => 'no file'], 422);
    }
    $file->moveTo($kept = dirname(__DIR__) . '/var/uploads/kept');
    return $json($response, [
        'name' => $file->getClientFilename(), 'size' => $file->getSize(), 'hash' => hash_file('sha256', $kept),
        'title' => $request->getParsedBody()['title'],
    ]);
});
$app->get('/login', fn ($request, $response) => $html($response, "<form method=\"post\">{$token()}<input name=\"name\"><input name=\"password\"></form>"));
$app->post('/login', function ($request, $response) use ($html, $to) {
    $form = $request->getParsedBody();
    if (!hash_equals($_SESSION['token'] ?? '', $form['_token'] ?? '-')) {
        return $html($response, 'whose form is this?', 403);
    }
    if ($form['password'] !== "$form[name] secret") {
        return $html($response, 'wrong password', 422);
    }
    session_regenerate_id(true);
    $_SESSION = ['user' => $form['name'], 'flash' => "Welcome, $form[name]", 'visits' => 0];
    return $to($response, '/account');
});
$app->get('/account', function ($request, $response) use ($html, $to, $token) {
    if (!isset($_SESSION['user'])) {
        return $to($response, '/login');
    }
    $flash = $_SESSION['flash'] ?? '';
    unset($_SESSION['flash']);
    return $html($response, "<p>$flash</p>visit " . ++$_SESSION['visits'] . " of $_SESSION[user]<form>{$token()}</form>");
});
$app->post('/logout', function ($request, $response) use ($to) {
    session_destroy();
    $_SESSION = [];
    return $to($response, '/');
});
$app->add(function ($request, $response, $next) {
    session_start();
    return $next($request, $response)->withHeader('X-Middleware', 'yes');
});

$app->respond($app->process(request_from_globals($factory), $factory->createResponse()));
