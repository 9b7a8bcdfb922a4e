<?php

declare(strict_types=1);

namespace Ferrite\Psr;

use Ferrite\Bridge\ServerVariables;
use Ferrite\Http\Request;
use Psr\Http\Message\ServerRequestFactoryInterface;
use Psr\Http\Message\ServerRequestInterface;
use Psr\Http\Message\StreamFactoryInterface;
use Psr\Http\Message\StreamInterface;
use Psr\Http\Message\UploadedFileFactoryInterface;
use Psr\Http\Message\UploadedFileInterface;
use Psr\Http\Message\UriFactoryInterface;
use Psr\Http\Message\UriInterface;

/** Makes PSR-7 requests from Ferrite's. */
final class RequestFactory
{
    private const FORMS = ['application/x-www-form-urlencoded', 'multipart/form-data'];

    public function __construct(
        private readonly ServerRequestFactoryInterface $requests,
        private readonly UriFactoryInterface $uris,
        private readonly StreamFactoryInterface $streams,
        private readonly UploadedFileFactoryInterface $files,
    ) {
    }

    /**
     * The same request as PSR-7 has it. Its attribute `Ferrite\Http\Request` is the one that it was made from.
     *
     * @throws \InvalidArgumentException for what the implementation of PSR-7 takes for none
     */
    public function create(Request $request): ServerRequestInterface
    {
        $fields = $request->header ?? [];
        $method = $request->getMethod();
        $target = $request->getTarget();
        $uri = $this->uri($request->server, $fields, $target);
        $message = $this->requests->createServerRequest($method, $uri, self::serverParams($request));
        foreach ($fields as $name => $value) {
            $message = $message->withHeader((string) $name, $value);
        }
        $version = substr($request->server['server_protocol'], strlen('HTTP/'));
        if ($version !== $message->getProtocolVersion()) {
            try {
                $message = $message->withProtocolVersion($version);
            } catch (\InvalidArgumentException) {
                // An implementation that is older than HTTP/3: the server parameter SERVER_PROTOCOL tells.
            }
        }
        if ($message->getRequestTarget() !== $target) {
            $message = $message->withRequestTarget($target);
        }
        $message = $message
            ->withBody($this->body($request, $fields))
            ->withCookieParams($request->cookie ?? [])
            ->withQueryParams($request->get ?? [])
            ->withAttribute(Request::class, $request);
        $parsed = $request->post ?? ($method === 'POST' && self::isForm($fields) ? [] : null);
        if ($parsed !== null) {
            $message = $message->withParsedBody($parsed);
        }
        return $request->files === null ? $message : $message->withUploadedFiles($this->files($request->files));
    }

    /**
     * @param array<string, string|int|float> $server
     * @param array<string, string|list<string>> $fields
     */
    private function uri(array $server, array $fields, string $target): UriInterface
    {
        $uri = $this->uris->createUri()->withScheme($server['request_scheme']);
        $host = $fields['host'] ?? '';
        if ($host === '') {
            // A client of HTTP/1.0 need not name one.
            $address = (string) ($server['server_addr'] ?? '');
            $host = str_contains($address, ':') && $address[0] !== '/' ? "[$address]" : $address;
            $port = (string) ($server['server_port'] ?? '');
            $host = str_contains($address, '/') ? 'localhost' : rtrim("$host:$port", ':');
        }
        if (preg_match('/^(\[[^\]]+\]|[^:\[\]]+)(?::(\d*))?$/', $host, $parts) !== 1) {
            throw new \InvalidArgumentException("'$host' is no host");
        }
        $uri = $uri->withHost($parts[1]);
        if (($parts[2] ?? '') !== '') {
            $uri = $uri->withPort((int) $parts[2]);
        }
        // `OPTIONS *` is about the server: its URI has no path.
        if ($target[0] !== '/') {
            return $uri;
        }
        [$path, $query] = explode('?', $target, 2) + [1 => ''];
        return $uri->withPath($path)->withQuery($query);
    }

    /**
     * The application is the script, and is called for every path.
     *
     * @return array<string, string|int|float>
     */
    private static function serverParams(Request $request): array
    {
        $path = ['SCRIPT_NAME' => '', 'PATH_INFO' => (string) ($request->server['path_info'] ?? '')];
        return $path + ServerVariables::of($request);
    }

    /** @param array<string, string|list<string>> $fields */
    private function body(Request $request, array $fields): StreamInterface
    {
        // In HTTP/1 a request without these has no content (RFC 9112, 6.3), unless it is decoded while it arrives.
        $none = !isset($fields['content-length']) && !isset($fields['transfer-encoding'])
            && str_starts_with($request->server['server_protocol'], 'HTTP/1') && $request->isCompleted();
        if ($none || ($fields['content-length'] ?? '') === '0') {
            return $this->streams->createStream();
        }
        $stream = $request->stream();
        return $stream === false ? $this->streams->createStream() : $this->streams->createStreamFromResource($stream);
    }

    /** @param array<string, string|list<string>> $fields */
    private static function isForm(array $fields): bool
    {
        $type = strtolower(trim(explode(';', (string) ($fields['content-type'] ?? ''), 2)[0]));
        return in_array($type, self::FORMS, true);
    }

    /**
     * The tree of PSR-7: $_FILES turns it inside out for names such as `a[b][]`.
     *
     * @param array<string, mixed> $files
     * @return array<string, mixed>
     */
    private function files(array $files): array
    {
        return array_map(fn (array $file) => $this->file($file), $files);
    }

    /**
     * @param array<string, mixed> $file
     * @return UploadedFileInterface|array<int|string, mixed>
     */
    private function file(array $file): UploadedFileInterface|array
    {
        if (is_array($file['tmp_name'])) {
            $tree = [];
            foreach (array_keys($file['tmp_name']) as $key) {
                $tree[$key] = $this->file(array_map(
                    static fn (mixed $value): mixed => is_array($value) ? $value[$key] ?? null : $value,
                    $file,
                ));
            }
            return $tree;
        }
        $arrived = $file['error'] === UPLOAD_ERR_OK;
        return $this->files->createUploadedFile(
            $arrived ? $this->streams->createStreamFromFile($file['tmp_name']) : $this->streams->createStream(),
            (int) $file['size'],
            (int) $file['error'],
            $file['name'],
            $file['type'],
        );
    }
}
