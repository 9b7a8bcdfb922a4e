<?php

// The server of the tests: php server.php nyholm|guzzle|slim. It answers what it has understood, or as it is asked to.

declare(strict_types=1);

error_reporting(E_ALL & ~E_DEPRECATED);
// What Debian's packages ask for, each by its own loader.
$kind = $argv[1];
require ['nyholm' => 'Nyholm/Psr7/autoload.php', 'guzzle' => 'GuzzleHttp/Psr7/autoload.php', 'slim' => 'Slim/Psr7/autoload.php'][$kind];
require __DIR__ . '/interfaces.php';
spl_autoload_register(function (string $class): void {
    foreach (['Ferrite\Psr\\' => 'psr', 'Ferrite\Bridge\\' => 'bridge'] as $prefix => $package) {
        if (str_starts_with($class, $prefix)) {
            require __DIR__ . "/../../$package/src/" . substr($class, strlen($prefix)) . '.php';
        }
    }
});

use Ferrite\Http\Server;
use Ferrite\Psr\Handler;
use Psr\Http\Message\ResponseInterface;
use Psr\Http\Message\ServerRequestInterface;
use Psr\Http\Message\StreamInterface;
use Psr\Http\Message\UploadedFileInterface;

$factories = match ($kind) {
    'nyholm' => [new Nyholm\Psr7\Factory\Psr17Factory()],
    'guzzle' => [new GuzzleHttp\Psr7\HttpFactory()],
    'slim' => [
        new Slim\Psr7\Factory\ServerRequestFactory(),
        new Slim\Psr7\Factory\UriFactory(),
        new Slim\Psr7\Factory\StreamFactory(),
        new Slim\Psr7\Factory\UploadedFileFactory(),
        new Slim\Psr7\Factory\ResponseFactory(),
    ],
};

/** A body that is made while it is read, and whose size nobody knows. */
final class Counting implements StreamInterface
{
    private int $at = 0;
    public static int $reads = 0;

    public function __construct(private readonly int $pieces, private readonly ?int $size = null, private readonly string $log = '')
    {
    }

    public function __toString(): string { return $this->getContents(); }
    public function close(): void { $this->log === '' || file_put_contents($this->log, "$this->at"); }
    public function detach() { return null; }
    public function getSize(): ?int { return $this->size; }
    public function tell(): int { return $this->at; }
    public function eof(): bool { return $this->at >= $this->pieces; }
    public function isSeekable(): bool { return false; }
    public function seek($offset, $whence = SEEK_SET): void { throw new RuntimeException('no'); }
    public function rewind(): void { throw new RuntimeException('no'); }
    public function isWritable(): bool { return false; }
    public function write($string): int { throw new RuntimeException('no'); }
    public function isReadable(): bool { return true; }
    public function read($length): string { self::$reads++; return str_pad((string) $this->at++, 8, '.', STR_PAD_LEFT) . ($this->log === '' ? '' : str_repeat('x', 65528)); }
    public function getContents(): string { for ($all = ''; !$this->eof();) { $all .= $this->read(1); } return $all; }
    public function getMetadata($key = null) { return $key === null ? [] : null; }
}

$file = __DIR__ . '/data.txt';
$find = function (string $interface) use ($factories): object {
    return array_values(array_filter($factories, fn ($factory) => $factory instanceof $interface))[0];
};
$responses = $find(Psr\Http\Message\ResponseFactoryInterface::class);
$streams = $find(Psr\Http\Message\StreamFactoryInterface::class);

/** What a tree of uploaded files holds. */
function tree(array $files): array
{
    return array_map(fn ($file) => $file instanceof UploadedFileInterface
        ? [$file->getClientFilename(), $file->getClientMediaType(), $file->getSize(), $file->getError(),
            $file->getError() === 0 ? md5((string) $file->getStream()) : null]
        : tree($file), $files);
}

/** The suite that tests implementations of PSR-7, with requests that came from a client. */
function suite(ServerRequestInterface $request): string
{
    require_once 'PHPUnit/Autoload.php';
    require_once 'Http/Psr7Test/autoload.php';
    require_once __DIR__ . '/suite.php';
    RequestOfAClient::$request = $request;
    defined('STREAM_FACTORY') || define('STREAM_FACTORY', $GLOBALS['streams']::class);
    $suite = new PHPUnit\Framework\TestSuite(RequestOfAClient::class);
    $result = $suite->run();
    $wrong = array_map(fn ($failure) => $failure->getTestName() . ': ' . $failure->exceptionMessage(), [...$result->errors(), ...$result->failures()]);
    return $result->count() . ' tests, ' . count($wrong) . " failed\n" . implode("\n", $wrong);
}

$answer = function (ServerRequestInterface $request) use ($responses, $streams, $file): ResponseInterface {
    $response = $responses->createResponse();
    $query = $request->getQueryParams();
    $text = fn (string $text) => $response->withBody($streams->createStream($text));
    switch ($request->getUri()->getPath()) {
        case '/suite':
            return $text(suite($request));
        case '/whole':
            return $text('whole')->withHeader('Content-Length', '99')->withHeader('X-A', ['one', 'two'])
                ->withAddedHeader('Set-Cookie', 'a=1')->withAddedHeader('Set-Cookie', 'b=2')->withHeader('Transfer-Encoding', 'chunked');
        case '/status':
            return $text('gone')->withStatus((int) $query['code'], $query['reason'] ?? '');
        case '/file':
            $body = $streams->createStreamFromFile($file);
            // Behind its start: a body is sent whole.
            $body->read(3);
            return $response->withBody($body)->withHeader('Content-Type', 'text/x-data');
        case '/removed':
            $copy = tempnam(sys_get_temp_dir(), 'psr');
            copy($file, $copy);
            $body = $streams->createStreamFromFile($copy);
            unlink($copy);
            isset($query['replaced']) && file_put_contents($copy, str_repeat('X', filesize($file)));
            register_shutdown_function(fn () => @unlink($copy));
            return $response->withBody($body);
        case '/part':
            require_once 'GuzzleHttp/Psr7/autoload.php';
            return $response->withBody(new GuzzleHttp\Psr7\LimitStream(new GuzzleHttp\Psr7\Stream(fopen($file, 'r')), 5, 2));
        case '/stream':
            return $response->withBody(new Counting((int) $query['pieces'], isset($query['size']) ? 8 * (int) $query['pieces'] : null));
        case '/endless':
            return $response->withBody(new Counting(PHP_INT_MAX, null, $query['log']));
        case '/reads':
            return $text((string) Counting::$reads);
        case '/throw':
            throw new RuntimeException('thrown on purpose');
    }
    $body = (string) $request->getBody();
    return $text(json_encode([
        'method' => $request->getMethod(),
        'target' => $request->getRequestTarget(),
        'uri' => preg_replace('/:\d+/', ':PORT', (string) $request->getUri(), 1),
        'version' => $request->getProtocolVersion(),
        'host' => preg_replace('/\d+$/', 'PORT', $request->getHeaderLine('Host')),
        'a' => $request->getHeader('X-A'),
        'query' => $query,
        'cookies' => $request->getCookieParams(),
        'parsed' => $request->getParsedBody(),
        'files' => tree($request->getUploadedFiles()),
        'body' => strlen($body) > 100 ? md5($body) : $body,
        'server' => array_diff_key($request->getServerParams(), array_flip(['REQUEST_TIME', 'REQUEST_TIME_FLOAT', 'MASTER_TIME',
            'REMOTE_PORT', 'SERVER_PORT', 'HTTP_USER_AGENT', 'HTTP_HOST', 'HTTP_ACCEPT', 'CONTENT_TYPE'])),
        'strings' => array_filter(array_map(get_debug_type(...), $request->getServerParams()), fn ($type) => $type !== 'string'),
        'attribute' => get_debug_type($request->getAttribute(Ferrite\Http\Request::class)),
    ], JSON_UNESCAPED_SLASHES | JSON_THROW_ON_ERROR) . "\n")->withHeader('Content-Type', 'application/json');
};
$handler = new class($answer) implements Psr\Http\Server\RequestHandlerInterface {
    public function __construct(private readonly Closure $answer)
    {
    }

    public function handle(ServerRequestInterface $request): ResponseInterface
    {
        return ($this->answer)($request);
    }
};

$server = new Server('127.0.0.1', 0);
$server->listen('127.0.0.1', 0, Ferrite\SOCK_TCP | Ferrite\SSL)->set(['tls' => 'dev']);
$server->set(['worker_num' => 1, 'reactor_num' => 1]);
$server->on('Request', Handler::with(getenv('AS_CALLABLE') ? $answer : $handler, ...$factories));
$server->start();
