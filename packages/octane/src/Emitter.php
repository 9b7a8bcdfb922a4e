<?php

declare(strict_types=1);

namespace Ferrite\Octane;

use Ferrite\Http\Response;
use Symfony\Component\HttpFoundation\BinaryFileResponse;
use Symfony\Component\HttpFoundation\Response as SymfonyResponse;

/** Sends Laravel's responses: whole ones at once, files by the kernel, streams piece by piece. */
final class Emitter
{
    public function __construct(private readonly Response $response)
    {
    }

    /** @param string $printed what the application has printed meanwhile, which comes first */
    public function send(SymfonyResponse $answer, string $printed, bool $isHead): void
    {
        $this->response->status($answer->getStatusCode());
        foreach ($answer->headers->allPreserveCaseWithoutCookies() as $name => $values) {
            if ($printed !== '' && strcasecmp((string) $name, 'Content-Length') === 0) {
                continue;
            }
            $values = array_map(strval(...), array_values($values));
            $this->response->header((string) $name, count($values) === 1 ? $values[0] : $values);
        }
        $cookies = array_map(strval(...), $answer->headers->getCookies());
        if ($cookies !== []) {
            $this->response->header('Set-Cookie', $cookies);
        }
        if ($isHead || $answer->isEmpty()) {
            $this->response->end();
        } elseif ($answer instanceof BinaryFileResponse && $printed === '') {
            $this->file($answer);
        } elseif (($content = $answer->getContent()) !== false) {
            $this->response->end($printed . $content);
        } else {
            $this->stream($answer, $printed);
        }
    }

    /** A whole file, or the part of it that Symfony has decided on. */
    private function file(BinaryFileResponse $answer): void
    {
        $path = $answer->getFile()->getPathname();
        $offset = $length = 0;
        $isWhole = $answer->getStatusCode() === 200 && !$answer->headers->has('X-Sendfile') && !$answer->headers->has('X-Accel-Redirect');
        $isPart = $answer->getStatusCode() === 206
            && preg_match('/^bytes (\d+)-(\d+)\//', (string) $answer->headers->get('Content-Range'), $match) === 1;
        if ($isPart) {
            [$offset, $length] = [(int) $match[1], $match[2] - $match[1] + 1];
        }
        // The wrapper of another stream, such as a temporary one, is not the kernel's.
        if (!$isPart && !$isWhole || !is_file($path) || str_contains($path, '://')) {
            $this->stream($answer, '');
            return;
        }
        // It is open then: its name is not needed any more.
        if ($this->response->sendfile($path, $offset, $length) && (fn (): bool => $this->deleteFileAfterSend)->call($answer)) {
            @unlink($path);
        }
    }

    private function stream(SymfonyResponse $answer, string $printed): void
    {
        $printed === '' || $this->response->write($printed);
        $level = ob_get_level();
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
