<?php

namespace App\Http;

class VerifyCsrfToken extends \Illuminate\Foundation\Http\Middleware\VerifyCsrfToken
{
    protected $except = ['json', 'upload'];
}
