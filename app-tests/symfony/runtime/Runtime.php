<?php

// A stand-in for Symfony's runtime for FrankenPHP (runtime/frankenphp-symfony), which Debian does not have: written from what
// it does, call by call. With the real one's `src` in FRANKENPHP_SYMFONY that is used.

declare(strict_types=1);

namespace Runtime\FrankenPhpSymfony;

use Symfony\Component\HttpFoundation\Request;
use Symfony\Component\HttpKernel\HttpKernelInterface;
use Symfony\Component\HttpKernel\TerminableInterface;
use Symfony\Component\Runtime\RunnerInterface;
use Symfony\Component\Runtime\SymfonyRuntime;

class Runtime extends SymfonyRuntime
{
    public function getRunner(?object $application): RunnerInterface
    {
        $worker = $_SERVER['FRANKENPHP_WORKER'] ?? false;
        return $worker && $application instanceof HttpKernelInterface ? new KernelLoop($application) : parent::getRunner($application);
    }
}

final class KernelLoop implements RunnerInterface
{
    private ?Request $request = null;
    private ?object $response = null;
    /** What the script has found in $_SERVER, and Dotenv has put there. */
    private array $boot = [];

    public function __construct(private HttpKernelInterface $kernel)
    {
    }

    public function run(): int
    {
        ignore_user_abort(true);
        foreach ($_SERVER as $name => $value) {
            str_starts_with((string) $name, 'HTTP_') || $this->boot[$name] = $value;
        }
        $this->boot['APP_RUNTIME_MODE'] = 'web=1&worker=1';
        $limit = (int) ($_SERVER['FRANKENPHP_LOOP_MAX'] ?? 500);
        for ($handled = 1, $again = true; $again && $handled <= $limit; $handled++) {
            $again = \frankenphp_handle_request($this->answer(...));
            if ($this->request && $this->kernel instanceof TerminableInterface) {
                $this->kernel->terminate($this->request, $this->response);
            }
            gc_collect_cycles();
        }
        return 0;
    }

    private function answer(): void
    {
        $_SERVER += $this->boot;
        $this->request = Request::createFromGlobals();
        $this->response = $this->kernel->handle($this->request);
        $this->response->send();
    }
}
