<?php

declare(strict_types=1);

namespace Ferrite\Psr;

use Ferrite\Http\Request;
use Ferrite\Http\Response;
use Psr\Http\Message\ResponseInterface;
use Psr\Http\Message\StreamInterface;

/**
 * Sends PSR-7 responses: a small body whole, a file by the kernel, everything else piece by piece.
 */
final class Emitter
{
    /** A body up to this size goes out in one piece. */
    private const WHOLE_BYTES_MAX = 1 << 20;
    private const PIECE_BYTES = 64 << 10;
    /** How long to wait for a stream that has nothing yet and does not wait by itself. */
    private const PAUSE_MICROSECONDS = 1000;
    /**
     * Streams that are just what their resource is. One that is put around another tells of that one's file,
     * and may be a part of it or something else.
     */
    private const PLAIN_STREAMS = [
        'Nyholm\Psr7\Stream',
        'GuzzleHttp\Psr7\Stream',
        'Slim\Psr7\Stream',
        'Slim\Http\Stream',
        'Slim\Http\Body',
        'Laminas\Diactoros\Stream',
        'HttpSoft\Message\Stream',
    ];

    public function emit(ResponseInterface $message, Request $request, Response $response): void
    {
        $status = $message->getStatusCode();
        $response->status($status, $message->getReasonPhrase());
        $length = $this->headers($message, $response);
        $body = $message->getBody();
        if ($status === 204 || $status === 304) {
            $response->end();
            return;
        }
        $size = $body->getSize();
        if ($request->getMethod() === 'HEAD') {
            // The length that a GET would have, without reading it. Without a body it is the handler's to say.
            $told = $size === null || $size === 0 ? $length : (string) $size;
            if ($told !== null) {
                $response->header('Content-Length', $told);
            }
            $response->end();
            return;
        }
        if ($this->sendFile($body, $size, $response)) {
            return;
        }
        if ($body->isSeekable()) {
            $body->rewind();
        }
        if ($size !== null && $size <= self::WHOLE_BYTES_MAX) {
            $response->end($body->getContents());
            return;
        }
        $this->stream($body, $size, $response);
    }

    /** Sets the header fields. Returns the Content-Length, which is not set: it follows from the body. */
    private function headers(ResponseInterface $message, Response $response): ?string
    {
        $length = null;
        foreach ($message->getHeaders() as $name => $values) {
            $name = (string) $name;
            if (strcasecmp($name, 'Content-Length') === 0) {
                $length = (string) reset($values);
            } else {
                $response->header($name, count($values) === 1 ? (string) reset($values) : array_map(strval(...), array_values($values)));
            }
        }
        return $length;
    }

    /** Has the kernel send a body that is a file and nothing else. */
    private function sendFile(StreamInterface $body, ?int $size, Response $response): bool
    {
        if ($size === null || !in_array($body::class, self::PLAIN_STREAMS, true) || $body->getMetadata('wrapper_type') !== 'plainfile') {
            return false;
        }
        $path = $body->getMetadata('uri');
        if (!is_string($path) || $path === '') {
            return false;
        }
        $path = str_starts_with($path, 'file://') ? substr($path, strlen('file://')) : $path;
        clearstatcache(true, $path);
        // The resource can only be asked by taking it out of the stream, which is not used any more then.
        $resource = $body->detach();
        if (!is_resource($resource)) {
            return false;
        }
        $opened = fstat($resource);
        $named = @stat($path);
        // A path may have been given to another file since this one was opened, or be nobody's: then what is
        // open is sent.
        $same = $opened !== false && $named !== false
            && [$opened['dev'], $opened['ino']] === [$named['dev'], $named['ino']] && is_file($path);
        if (!$same || !$response->sendfile($path)) {
            rewind($resource);
            $this->pieces($size, static fn (): string|false => fread($resource, self::PIECE_BYTES), static fn (): bool => feof($resource), $response);
        }
        fclose($resource);
        return true;
    }

    private function stream(StreamInterface $body, ?int $size, Response $response): void
    {
        $this->pieces($size, static fn (): string => $body->read(self::PIECE_BYTES), $body->eof(...), $response);
        $body->close();
    }

    /**
     * @param \Closure(): (string|false) $read
     * @param \Closure(): bool $isOver
     */
    private function pieces(?int $size, \Closure $read, \Closure $isOver, Response $response): void
    {
        if ($size !== null) {
            $response->header('Content-Length', (string) $size);
        }
        while (!$isOver()) {
            $piece = $read();
            if ($piece === false || $piece === '') {
                $isOver() || usleep(self::PAUSE_MICROSECONDS);
            } elseif (!$response->write($piece)) {
                // The client has left.
                return;
            }
        }
        $response->end();
    }
}
