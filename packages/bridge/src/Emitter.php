<?php

declare(strict_types=1);

namespace Ferrite\Bridge;

use Ferrite\Http\Request;
use Ferrite\Http\Response;
use Symfony\Component\HttpFoundation\BinaryFileResponse;
use Symfony\Component\HttpFoundation\Response as Answer;

/**
 * Sends responses of HttpFoundation: whole ones at once, files by the kernel, streams piece by piece. What the application
 * has printed while it handled the request comes before the content, as under php-fpm.
 */
final class Emitter
{
    /** After one of these the answer is the server's. */
    private const FATAL = E_ERROR | E_PARSE | E_CORE_ERROR | E_COMPILE_ERROR | E_USER_ERROR | E_RECOVERABLE_ERROR;

    public function __construct(private readonly Request $request, private readonly Response $response)
    {
    }

    /** @param string $printed what comes before the content */
    public function send(Answer $answer, string $printed): void
    {
        $this->response->status($answer->getStatusCode());
        $this->fields($answer, $printed !== '');
        if ($this->request->getMethod() === 'HEAD' || $answer->isEmpty()) {
            $this->response->end();
        } elseif ($answer instanceof BinaryFileResponse && $printed === '' && $this->file($answer)) {
            return;
        } elseif (($content = $answer->getContent()) !== false) {
            $this->response->end($printed . $content);
        } else {
            $this->stream($answer, $printed);
        }
    }

    /** In a shutdown function, after exit(), as by dd(): what was printed is the answer. */
    public function sendPrinted(string $printed): void
    {
        if ($printed !== '' && ((error_get_last()['type'] ?? 0) & self::FATAL) === 0) {
            $status = http_response_code();
            $this->response->status(is_int($status) ? $status : 200);
            $this->response->end($printed);
        }
    }

    /** @param bool $isLonger whether something comes before the content, so that its length is not the response's */
    private function fields(Answer $answer, bool $isLonger): void
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

    /**
     * Has the kernel send a file, or the part of it that HttpFoundation has decided on.
     *
     * @return bool false when it is none of the kernel's, and nothing was sent
     */
    private function file(BinaryFileResponse $answer): bool
    {
        $path = $answer->getFile()->getPathname();
        $offset = $length = 0;
        $isWhole = $answer->getStatusCode() === 200 && !$answer->headers->has('X-Sendfile') && !$answer->headers->has('X-Accel-Redirect');
        $isPart = $answer->getStatusCode() === 206
            && preg_match('/^bytes (\d+)-(\d+)\//', (string) $answer->headers->get('Content-Range'), $match) === 1;
        if ($isPart) {
            [$offset, $length] = [(int) $match[1], (int) $match[2] - (int) $match[1] + 1];
        }
        // The wrapper of another stream, such as a temporary one, is not the kernel's.
        if (!$isPart && !$isWhole || !is_file($path) || str_contains($path, '://')) {
            return false;
        }
        // It is open then: its name is not needed any more.
        if ($this->response->sendfile($path, $offset, $length) && (fn (): bool => $this->deleteFileAfterSend)->call($answer)) {
            @unlink($path);
        }
        return true;
    }

    /** Sends content as the response prints it, each piece when it is printed: who streams has a reason. */
    private function stream(Answer $answer, string $printed): void
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
