<?php

declare(strict_types=1);

namespace Ferrite\SymfonyRuntime;

use Ferrite\Http\Request;
use Ferrite\Http\Response;
use Symfony\Component\HttpFoundation\BinaryFileResponse;
use Symfony\Component\HttpFoundation\Response as SymfonyResponse;

/**
 * Sends Symfony's responses, and what the application prints: what it prints while it handles the request comes before
 * the content, as under php-fpm.
 */
final class Emitter
{
    public function __construct(private readonly Request $request, private readonly Response $response)
    {
    }

    /**
     * Runs an application, and sends what it returns and what it has printed.
     *
     * @param \Closure(): SymfonyResponse $handle
     * @param (\Closure(SymfonyResponse): void)|null $terminate what comes after the answer
     * @param (\Closure(): void)|null $onExit what comes after exit(), by which nothing of the application was finished
     */
    public function capture(\Closure $handle, ?\Closure $terminate = null, ?\Closure $onExit = null): void
    {
        $level = ob_get_level();
        $isOver = false;
        $printed = '';
        // After exit() this is what runs next, and it may still answer. Buffers are gone by then, so what is printed is
        // kept elsewhere at once.
        register_shutdown_function(function () use (&$isOver, &$printed, $onExit): void {
            if (!$isOver) {
                $onExit === null || $onExit();
                $this->exited($printed);
            }
        });
        ob_start(static function (string $piece) use (&$printed): string {
            $printed .= $piece;
            return '';
        }, 1);
        try {
            $answer = $handle();
        } finally {
            // exit() does not come by here, an exception does.
            while (ob_get_level() > $level) {
                ob_end_flush();
            }
            $isOver = true;
        }
        $this->send($answer, $printed);
        $terminate === null || $terminate($answer);
    }

    /** After exit(), as by dd(), what was printed is the answer; after a fatal error it is the server's. */
    private function exited(string $printed): void
    {
        $fatal = E_ERROR | E_PARSE | E_CORE_ERROR | E_COMPILE_ERROR | E_USER_ERROR | E_RECOVERABLE_ERROR;
        if ($printed !== '' && ((error_get_last()['type'] ?? 0) & $fatal) === 0) {
            $status = http_response_code();
            $this->response->status(is_int($status) ? $status : 200);
            $this->response->end($printed);
        }
    }

    private function send(SymfonyResponse $answer, string $printed): void
    {
        $this->response->status($answer->getStatusCode());
        $this->headers($answer, $printed !== '');
        if ($this->request->getMethod() === 'HEAD' || $answer->isEmpty()) {
            $this->response->end();
        } elseif ($answer instanceof BinaryFileResponse) {
            $this->file($answer, $printed);
        } elseif (($content = $answer->getContent()) !== false) {
            $this->response->end($printed . $content);
        } else {
            $this->stream($answer, $printed);
        }
    }

    /** @param bool $isLonger whether something comes before the content, so that its length is not the response's */
    private function headers(SymfonyResponse $answer, bool $isLonger): void
    {
        foreach ($answer->headers->allPreserveCaseWithoutCookies() as $name => $values) {
            if ($isLonger && strcasecmp((string) $name, 'Content-Length') === 0) {
                continue;
            }
            $values = array_map(strval(...), array_values($values));
            $this->response->header((string) $name, count($values) === 1 ? $values[0] : $values);
        }
        $cookies = array_map(strval(...), $answer->headers->getCookies());
        if ($cookies !== []) {
            $this->response->header('Set-Cookie', $cookies);
        }
    }

    /** Has the kernel send a file, or the part of it that Symfony has decided on. */
    private function file(BinaryFileResponse $answer, string $printed): void
    {
        $path = $answer->getFile()->getPathname();
        $isPart = $answer->getStatusCode() === 206;
        $offset = $length = 0;
        if ($isPart) {
            $range = (string) $answer->headers->get('Content-Range');
            $isPart = preg_match('/^bytes (\d+)-(\d+)\//', $range, $match) === 1;
            [$offset, $length] = $isPart ? [(int) $match[1], $match[2] - $match[1] + 1] : [0, 0];
        }
        $isWhole = $answer->getStatusCode() === 200 && !$answer->headers->has('X-Sendfile') && !$answer->headers->has('X-Accel-Redirect');
        // The wrapper of another stream, such as a temporary one, is not the kernel's.
        if ($printed !== '' || !$isPart && !$isWhole || !is_file($path) || str_contains($path, '://')) {
            $this->stream($answer, $printed);
            return;
        }
        if (!$this->response->sendfile($path, $offset, $length)) {
            return;
        }
        // It is open: its name is not needed any more.
        if ((fn (): bool => $this->deleteFileAfterSend)->call($answer)) {
            @unlink($path);
        }
    }

    /** Sends content as the response prints it. */
    private function stream(SymfonyResponse $answer, string $printed): void
    {
        $printed === '' || $this->response->write($printed);
        $level = ob_get_level();
        // Each piece goes out when it is printed: who streams has a reason.
        ob_start(function (string $piece): string {
            $piece === '' || $this->response->write($piece);
            return '';
        }, 1);
        try {
            $answer->sendContent();
        } finally {
            while (ob_get_level() > $level) {
                ob_end_flush();
            }
        }
        $this->response->end();
    }
}
